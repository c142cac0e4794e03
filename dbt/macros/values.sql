{# The number in a string; null if it is none, or far too large for a time or a length. #}
{% macro number_in(string) %}{{ adapter.dispatch('number_in', 'zendesk_chat')(string) }}{% endmacro %}

{% macro duckdb__number_in(string) %}try_cast({{ string }} as double){% endmacro %}

{% macro postgres__number_in(string) -%}
    case
        when {{ string }} ~ '^\s*[-+]?(\d{1,60}\.?\d{0,60}|\.\d{1,60})([eE][-+]?\d{1,2})?\s*$'
        then cast({{ string }} as double precision)
    end
{%- endmacro %}

{# The boolean in a string; null if it is none. A number is true unless it is 0. #}
{% macro boolean_in(string) -%}
    case
        when lower({{ string }}) in ('true', 't') then true
        when lower({{ string }}) in ('false', 'f') then false
        else {{ zendesk_chat.number_in(string) }} <> 0
    end
{%- endmacro %}

{# A number of seconds, unchanged; null if it is negative or more than 30 years. #}
{% macro plausible(seconds) %}case when {{ seconds }} between 0 and 1000000000 then {{ seconds }} end{% endmacro %}

{# Round a number that is not negative; 0.5 is rounded up. #}
{% macro rounded(number, decimals) %}floor(({{ number }}) * 1e{{ decimals }} + 0.5) / 1e{{ decimals }}{% endmacro %}

{# A number with one decimal. The last digits of an average depend on the order of the rows, so a half is rounded without them. #}
{% macro one_decimal(number) %}{{ zendesk_chat.rounded(zendesk_chat.rounded(number, 6), 1) }}{% endmacro %}

{# A part divided by its total, with four decimals; null if the total is 0. #}
{% macro share(part, total) -%}
    {{ zendesk_chat.rounded('cast(' ~ part ~ ' as double precision) / nullif(' ~ total ~ ', 0)', 4) }}
{%- endmacro %}

{# The number that this share of the values does not exceed, interpolated, with one decimal. #}
{% macro percentile(number, share) -%}
    {{ zendesk_chat.one_decimal('percentile_cont(' ~ share ~ ') within group (order by ' ~ number ~ ')') }}
{%- endmacro %}

{# Count the rows that meet a condition. #}
{% macro count_if(condition) %}count(case when {{ condition }} then 1 end){% endmacro %}

{# A string as a sort key: in the order of its characters' codes, whatever the language of the database. #}
{% macro by_code(string) %}{{ adapter.dispatch('by_code', 'zendesk_chat')(string) }}{% endmacro %}

{% macro default__by_code(string) %}{{ string }}{% endmacro %}

{% macro postgres__by_code(string) %}{{ string }} collate "C"{% endmacro %}

{# A JSON value as a sort key. #}
{% macro json_by_code(json) %}{{ zendesk_chat.by_code('cast(' ~ json ~ ' as varchar)') }}{% endmacro %}

{# Join each row with each number from a first to a last one, as a column. #}
{% macro join_numbers(first, last, name) %}{{ adapter.dispatch('join_numbers', 'zendesk_chat')(first, last, name) }}{% endmacro %}

{% macro duckdb__join_numbers(first, last, name) -%}
    cross join unnest(generate_series({{ first }}, {{ last }})) as each_number ({{ name }})
{%- endmacro %}

{% macro postgres__join_numbers(first, last, name) -%}
    cross join lateral generate_series({{ first }}, {{ last }}) as each_number ({{ name }})
{%- endmacro %}

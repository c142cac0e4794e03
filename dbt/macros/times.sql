{# The time zone of days and hours, as a string in SQL. #}
{% macro time_zone() %}{{ dbt.string_literal(dbt.escape_single_quotes(var('zendesk_chat_time_zone'))) }}{% endmacro %}

{# A timestamp in the time zone of the models. #}
{% macro local_time(timestamp) %}timezone({{ zendesk_chat.time_zone() }}, {{ timestamp }}){% endmacro %}

{# The day of a timestamp in the time zone of the models. #}
{% macro local_day(timestamp) %}cast({{ zendesk_chat.local_time(timestamp) }} as date){% endmacro %}

{# The start of a day in the time zone of the models. If the clock goes back at midnight, the first of two counts. #}
{% macro midnight(day) -%}
    {%- set start = 'timezone(' ~ zendesk_chat.time_zone() ~ ', cast(' ~ day ~ ' as timestamp))' -%}
    case
        when {{ zendesk_chat.local_time(start ~ " - interval '1 hour'") }} >= {{ day }} then {{ start }} - interval '1 hour'
        else {{ start }}
    end
{%- endmacro %}

{# A day as the number of days since 1970, and back. #}
{% macro day_number(day) %}cast({{ day }} - date '1970-01-01' as integer){% endmacro %}

{% macro day_of_number(number) %}(date '1970-01-01' + cast({{ number }} as integer)){% endmacro %}

{# The first day of a day's month. #}
{% macro month_of(day) %}cast(date_trunc('month', {{ day }}) as date){% endmacro %}

{# The hour of a local time, from 0 to 23. #}
{% macro hour_of(local_time) %}cast(extract(hour from {{ local_time }}) as bigint){% endmacro %}

{# The English name of the weekday of a local time. #}
{% macro weekday_of(local_time) %}{{ adapter.dispatch('weekday_of', 'zendesk_chat')(local_time) }}{% endmacro %}

{% macro duckdb__weekday_of(local_time) -%}
    cast(dayname({{ local_time }}) as enum ('Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'))
{%- endmacro %}

{% macro postgres__weekday_of(local_time) %}to_char({{ local_time }}, 'FMDay'){% endmacro %}

{# Microseconds since 1970. #}
{% macro microseconds(timestamp) %}{{ adapter.dispatch('microseconds', 'zendesk_chat')(timestamp) }}{% endmacro %}

{% macro duckdb__microseconds(timestamp) %}epoch_us({{ timestamp }}){% endmacro %}

{% macro postgres__microseconds(timestamp) %}cast(extract(epoch from {{ timestamp }}) * 1000000 as bigint){% endmacro %}

{# Microseconds since 1970 as hours since 1970, rounded down; negative before 1970. #}
{% macro hour_number(microseconds) %}{{ adapter.dispatch('hour_number', 'zendesk_chat')(microseconds) }}{% endmacro %}

{% macro duckdb__hour_number(microseconds) -%}
    ({{ microseconds }} - ({{ microseconds }} % 3600000000 + 3600000000) % 3600000000) // 3600000000
{%- endmacro %}

{% macro postgres__hour_number(microseconds) %}cast(floor(({{ microseconds }}) / 3600000000.0) as bigint){% endmacro %}

{# A time plus a number of seconds; null if they are negative or more than 30 years. #}
{% macro seconds_after(timestamp, seconds) -%}
    case
        when {{ seconds }} between 0 and 1000000000
        then {{ timestamp }} + {{ zendesk_chat.microseconds_long('floor(' ~ seconds ~ ' * 1e6 + 0.5)') }}
    end
{%- endmacro %}

{# A number of microseconds as an interval. #}
{% macro microseconds_long(number) %}{{ adapter.dispatch('microseconds_long', 'zendesk_chat')(number) }}{% endmacro %}

{% macro duckdb__microseconds_long(number) %}to_microseconds(cast({{ number }} as bigint)){% endmacro %}

{% macro postgres__microseconds_long(number) %}{{ number }} * interval '1 microsecond'{% endmacro %}

{# When a chat ended: the API's end, or start plus duration if that is missing or impossible. #}
{% macro end_of(started_at, ended_at, seconds) -%}
    case
        when {{ ended_at }} between {{ started_at }} and {{ zendesk_chat.seconds_after(started_at, 1000000000) }} then {{ ended_at }}
        else {{ zendesk_chat.seconds_after(started_at, seconds) }}
    end
{%- endmacro %}

{# The time in a string, in UTC if the string has no time zone; null if it is unreadable. #}
{% macro time_in(string) %}{{ adapter.dispatch('time_in', 'zendesk_chat')(string) }}{% endmacro %}

{% macro duckdb__time_in(string) %}timezone('UTC', try_cast({{ string }} as timestamp)){% endmacro %}

{#
    The pattern matches times that Postgres can read, except those like 30 February: the first day of the month is read alone.
    Digits after the microsecond are dropped, because Postgres would round them.
#}
{% macro postgres__time_in(string) -%}
    {%- set date = '(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])' -%}
    {%- set time = '([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d*)?)?' -%}
    {%- set zone = '\s*(Z|UTC|[-+](0\d|1[0-4])(:?[0-5]\d)?)?' -%}
    case
        when {{ string }} !~ '^\s*{{ date }}([T ]{{ time }}{{ zone }})?\s*$' then null
        when cast(substring({{ string }} from '\d{4}-\d\d-(\d\d)') as integer) > extract(
            day from cast(substring({{ string }} from '\d{4}-\d\d') || '-01' as timestamp) + interval '1 month' - interval '1 day'
        ) then null
        when {{ string }} ~ '[ T]\d\d:.*(Z|UTC|[-+]\d[\d:]*)\s*$'
        then cast(regexp_replace({{ string }}, '(\.\d{6})\d+', '\1') as timestamp with time zone)
        else timezone('UTC', cast(regexp_replace({{ string }}, '(\.\d{6})\d+', '\1') as timestamp))
    end
{%- endmacro %}

{# The string at a path such as `a.b` in a JSON column; null if there is none. #}
{% macro json_text(json, path) %}{{ adapter.dispatch('json_text', 'zendesk_chat')(json, path) }}{% endmacro %}

{% macro duckdb__json_text(json, path) %}({{ json }} ->> '$.{{ path }}'){% endmacro %}

{% macro postgres__json_text(json, path) %}({{ json }} #>> '{{ '{' ~ path.split('.') | join(',') ~ '}' }}'){% endmacro %}

{# The length of a JSON array; 0 or null if it is something else. #}
{% macro json_length(json) %}{{ adapter.dispatch('json_length', 'zendesk_chat')(json) }}{% endmacro %}

{% macro duckdb__json_length(json) %}json_array_length({{ json }}){% endmacro %}

{% macro postgres__json_length(json) %}case when jsonb_typeof({{ json }}) = 'array' then jsonb_array_length({{ json }}) end{% endmacro %}

{# The string at a position, from 0, of a JSON array. #}
{% macro json_element(json, position) %}{{ adapter.dispatch('json_element', 'zendesk_chat')(json, position) }}{% endmacro %}

{% macro duckdb__json_element(json, position) %}from_json({{ json }}, '["VARCHAR"]')[{{ position }} + 1]{% endmacro %}

{% macro postgres__json_element(json, position) -%}
    case when jsonb_typeof({{ json }}) = 'array' then {{ json }} ->> cast({{ position }} as integer) end
{%- endmacro %}

{# Whether a JSON array has a string among its elements; false or null if not. #}
{% macro json_contains(json, string) %}{{ adapter.dispatch('json_contains', 'zendesk_chat')(json, string) }}{% endmacro %}

{% macro duckdb__json_contains(json, string) %}list_contains(from_json({{ json }}, '["VARCHAR"]'), {{ string }}){% endmacro %}

{% macro postgres__json_contains(json, string) %}({{ string }} is not null and {{ json }} @> jsonb_build_array({{ string }})){% endmacro %}

{# The strings of a JSON array as a list in alphabetical order, each once. #}
{% macro string_list(json) %}{{ adapter.dispatch('string_list', 'zendesk_chat')(json) }}{% endmacro %}

{% macro duckdb__string_list(json) %}list_sort(list_distinct(coalesce(from_json({{ json }}, '["VARCHAR"]'), []))){% endmacro %}

{% macro postgres__string_list(json) -%}
    array(
        select distinct element collate "C"
        from jsonb_array_elements_text(case when jsonb_typeof({{ json }}) = 'array' then {{ json }} else '[]' end) as each_one (element)
        where element is not null
        order by 1
    )
{%- endmacro %}

{# Join each row with each string of its list, as a column, and once with `if_empty` if the list is empty. #}
{% macro join_strings(list, name, if_empty) %}{{ adapter.dispatch('join_strings', 'zendesk_chat')(list, name, if_empty) }}{% endmacro %}

{% macro duckdb__join_strings(list, name, if_empty) -%}
    cross join unnest(case when len({{ list }}) > 0 then {{ list }} else [{{ if_empty }}] end) as element ({{ name }})
{%- endmacro %}

{% macro postgres__join_strings(list, name, if_empty) -%}
    cross join lateral unnest(case when cardinality({{ list }}) > 0 then {{ list }} else array[{{ if_empty }}] end) as element ({{ name }})
{%- endmacro %}

{#
    Select a row for each string in a JSON array: the columns `keep`, `position` from 0, and the string as `name`.
#}
{% macro json_strings(relation, json, keep, name) %}
    {{- adapter.dispatch('json_strings', 'zendesk_chat')(relation, json, keep, name) -}}
{% endmacro %}

{% macro duckdb__json_strings(relation, json, keep, name) -%}
select {{ keep | join(', ') }}, generate_subscripts(items, 1) - 1 as position, unnest(items) as {{ name }}
from (select {{ keep | join(', ') }}, from_json({{ json }}, '["VARCHAR"]') as items from {{ relation }}) as listed
{%- endmacro %}

{% macro postgres__json_strings(relation, json, keep, name) -%}
select {{ keep | join(', ') }}, number - 1 as position, element as {{ name }}
from {{ relation }}
cross join lateral jsonb_array_elements_text(case when jsonb_typeof({{ json }}) = 'array' then {{ json }} else '[]' end)
    with ordinality as each_one (element, number)
{%- endmacro %}

{#
    Select a row for each object in a JSON array: the columns `keep`, `position` from 0, and the fields of the object.
    `fields` has the path and kind of each: {'agent_id': ['agent_id', 'text'], 'first': ['response_time.first', 'number']}.
#}
{% macro json_objects(relation, json, keep, fields) %}
    {{- adapter.dispatch('json_objects', 'zendesk_chat')(relation, json, keep, fields) -}}
{% endmacro %}

{% macro duckdb__json_objects(relation, json, keep, fields) -%}
{%- set types = {'number': 'DOUBLE', 'boolean': 'BOOLEAN', 'json': 'JSON'} -%}
{%- set structure = {} -%}
{%- for path, kind in fields.values() -%}
    {%- set keys = path.split('.') -%}
    {%- set type = types.get(kind, 'VARCHAR') -%}
    {%- do structure.update({keys[0]: type if keys | length == 1 else {keys[1]: type}}) -%}
{%- endfor -%}
select
    {{ keep | join(',\n    ') }},
    position,
    {%- for name, field in fields.items() %}
    item.{{ field[0] }} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from (
    select {{ keep | join(', ') }}, generate_subscripts(items, 1) - 1 as position, unnest(items) as item
    from (select {{ keep | join(', ') }}, from_json({{ json }}, '{{ tojson([structure]) }}') as items from {{ relation }}) as listed
) as each_one
where item is not null
{%- endmacro %}

{% macro postgres__json_objects(relation, json, keep, fields) -%}
select
    {{ keep | join(',\n    ') }},
    number - 1 as position,
    {%- for name, field in fields.items() %}
    {%- set text = zendesk_chat.json_text('item', field[0]) %}
    {% if field[1] == 'number' -%}
        {{ zendesk_chat.number_in(text) }}
    {%- elif field[1] == 'boolean' -%}
        {{ zendesk_chat.boolean_in(text) }}
    {%- elif field[1] == 'json' -%}
        nullif(item -> '{{ field[0] }}', 'null')
    {%- else -%}
        {{ text }}
    {%- endif %} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ relation }}
cross join lateral jsonb_array_elements(case when jsonb_typeof({{ json }}) = 'array' then {{ json }} else '[]' end)
    with ordinality as each_one (item, number)
where jsonb_typeof(item) <> 'null'
{%- endmacro %}

{#
    What `zendesk-chat sync` has loaded: an account may lack a stream, and redaction may drop or hash a column.
    A column is found if its type is that of the kind: text, number, boolean, time or json. Everything can be text or JSON.
#}

{% macro source_tables() %}
    {% do return({
        'agents': source('zendesk_chat', 'agents'),
        'agent_timeline': source('zendesk_chat', 'agent_timeline'),
        'chats': source('zendesk_chat', 'chats'),
        'conversions': source('zendesk_chat', 'conversions'),
        'departments': source('zendesk_chat', 'departments'),
    }) %}
{% endmacro %}

{# The type that each column must have, by its name in the table. Several tables agree on it. #}
{% macro column_kinds() %}
    {% do return({
        'abandon_time': 'number', 'agent_ids': 'json', 'agent_names': 'json', 'attribution': 'json', 'conversions': 'json',
        'deleted': 'boolean', 'dropped': 'boolean', 'duration': 'number', 'end_timestamp': 'time', 'engagements': 'json',
        'history': 'json', 'missed': 'boolean', 'response_time': 'json', 'session': 'json', 'start_time': 'time',
        'tags': 'json', 'timestamp': 'time', 'visitor': 'json',
    }) %}
{% endmacro %}

{# Return the columns of a table by their names in lower case; nothing if the table does not exist. #}
{% macro loaded_columns(relation) %}
    {% set found = {} %}
    {% set existing = adapter.get_relation(relation.database, relation.schema, relation.identifier) %}
    {% if existing is not none %}
        {% for column in adapter.get_columns_in_relation(existing) %}
            {% set kind = zendesk_chat.column_kinds().get(column.name | lower, 'text') %}
            {% if zendesk_chat.is_of_kind(column.dtype | lower, kind) %}
                {% do found.update({column.name | lower: column}) %}
            {% endif %}
        {% endfor %}
    {% endif %}
    {% do return(found) %}
{% endmacro %}

{% macro is_of_kind(type, kind) %}
    {% set patterns = {
        'number': '(tiny|small|big|huge|u)*int|double|float|real|numeric|decimal|number',
        'boolean': 'bool',
        'time': 'timestamp|datetime',
    } %}
    {% do return(modules.re.match(patterns.get(kind, ''), type) is not none) %}
{% endmacro %}

{# Fail if there is none of the tables: then it is the wrong schema, and all models would be empty. #}
{% macro require_some_table() %}
    {% set tables = zendesk_chat.source_tables() %}
    {% for relation in tables.values() if adapter.get_relation(relation.database, relation.schema, relation.identifier) %}
        {% do return(none) %}
    {% endfor %}
    {% set chats = tables['chats'] %}
    {% do exceptions.raise_compiler_error(
        'The schema ' ~ chats.schema ~ ' in the database ' ~ chats.database ~ ' has none of the tables ' ~ tables.keys() | join(', ')
        ~ '. Set the variable zendesk_chat_schema to the schema that zendesk-chat sync loads, and zendesk_chat_database if it is'
        ~ ' in another database.'
    ) %}
{% endmacro %}

{# Return true or false in SQL: whether a table has these columns. If not, dbt warns that the model lacks the data. #}
{% macro has_columns(table, columns) %}
    {% set relation = zendesk_chat.source_tables()[table] %}
    {% if not execute %}
        {% do return('true') %}
    {% endif %}
    {% set found = zendesk_chat.loaded_columns(relation) %}
    {% set missing = columns | reject('in', found) | list %}
    {% if not missing %}
        {% do return('true') %}
    {% endif %}
    {% do zendesk_chat.require_some_table() %}
    {% set problem = 'has no usable column ' ~ missing | join(', ') if found else 'does not exist' %}
    {% do exceptions.warn('The table ' ~ table ~ ' ' ~ problem ~ ', so ' ~ model.name ~ ' lacks its data.') %}
    {% do return('false') %}
{% endmacro %}

{# Select columns of a table under new names; a column that is missing is null, and a table that is missing has no rows. #}
{% macro select_loaded(table, names) %}
{%- set relation = zendesk_chat.source_tables()[table] -%}
{%- set found = zendesk_chat.loaded_columns(relation) if execute else {} -%}
select
    {%- for column, name in names.items() %}
    {%- set kind = zendesk_chat.column_kinds().get(column, 'text') %}
    {{ zendesk_chat.converted(found[column], kind) if column in found else 'cast(null as ' ~ zendesk_chat.type_of(kind) ~ ')' }} as {{ name }}
    {{- ',' if not loop.last }}
    {%- endfor %}
from {% if found %}{{ relation }}{% else %}(select 1 as nothing) as missing
where false{% endif %}
{% endmacro %}

{# The type of a kind of column. #}
{% macro type_of(kind) %}{{ adapter.dispatch('type_of', 'zendesk_chat')(kind) }}{% endmacro %}

{% macro default__type_of(kind) %}
    {%- set types = {'number': 'double precision', 'boolean': 'boolean', 'time': 'timestamp with time zone', 'json': 'json'} -%}
    {{- types.get(kind, 'varchar') -}}
{% endmacro %}

{% macro postgres__type_of(kind) %}{{ 'jsonb' if kind == 'json' else zendesk_chat.default__type_of(kind) }}{% endmacro %}

{# A column in the type of its kind. #}
{% macro converted(column, kind) %}{{ adapter.dispatch('converted', 'zendesk_chat')(column, kind) }}{% endmacro %}

{% macro default__converted(column, kind) -%}
    {%- set name = adapter.quote(column.name) -%}
    {%- if kind == 'time' and 'with' not in column.dtype | lower -%}
        timezone('UTC', {{ name }})
    {%- else -%}
        cast({{ name }} as {{ zendesk_chat.type_of(kind) }})
    {%- endif -%}
{%- endmacro %}

{# jsonb cannot store the character U+0000, which json can. #}
{% macro postgres__converted(column, kind) -%}
    {%- if kind == 'json' and column.dtype | lower != 'jsonb' -%}
        cast(regexp_replace(cast({{ adapter.quote(column.name) }} as text), '(?<!\\)((?:\\\\)*)\\u0000', '\1', 'g') as jsonb)
    {%- else -%}
        {{- zendesk_chat.default__converted(column, kind) -}}
    {%- endif -%}
{%- endmacro %}

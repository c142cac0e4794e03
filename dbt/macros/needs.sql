{# What several models need: true or false in SQL. #}

{% macro has_chats() %}
    {%- do return(zendesk_chat.has_columns('chats', [
        'id', 'type', 'started_by', 'timestamp', 'end_timestamp', 'duration', 'department_id', 'missed', 'dropped', 'abandon_time',
        'response_time', 'rating', 'deleted',
    ])) -%}
{% endmacro %}

{% macro has_engagements() %}
    {%- do return(zendesk_chat.has_columns('chats', [
        'id', 'type', 'timestamp', 'end_timestamp', 'duration', 'department_id', 'response_time', 'rating', 'deleted', 'agent_ids',
        'engagements',
    ])) -%}
{% endmacro %}

{% macro has_chat_conversions() %}
    {%- do return(zendesk_chat.has_columns('chats', ['id', 'timestamp', 'deleted', 'conversions'])) -%}
{% endmacro %}

{% macro has_conversions() %}
    {%- do return(zendesk_chat.has_columns('conversions', ['id', 'timestamp', 'goal_id', 'goal_name', 'attribution'])) -%}
{% endmacro %}

{% macro has_timeline() %}
    {%- do return(zendesk_chat.has_columns('agent_timeline', ['agent_id', 'status', 'start_time', 'duration'])) -%}
{% endmacro %}

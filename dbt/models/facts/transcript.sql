{{ config(materialized='view') }}

with chat as (
    select chat_id, type, started_at, message, agent_names, history, {{ zendesk_chat.json_text('visitor', 'name') }} as visitor_name
    from {{ ref('stg_zendesk_chat__chats') }}
    where not is_deleted and {{ zendesk_chat.has_columns('chats', ['id', 'type', 'timestamp', 'deleted', 'history']) }}
),

item as (
    {{ zendesk_chat.json_objects('chat', 'history', ['chat_id', 'visitor_name', 'agent_names'], {
        'sent_text': ['timestamp', 'text'],
        'name': ['name', 'text'],
        'type': ['type', 'text'],
        'message': ['msg', 'text'],
        'file_name': ['attachment.name', 'text'],
        'sender_type': ['sender_type', 'text'],
        'nick': ['nick', 'text'],
        'agent_id': ['agent_id', 'text'],
    }) | indent(4) }}
)

select
    chat_id,
    position,
    {{ zendesk_chat.time_in('sent_text') }} as sent_at,
    case
        when sender_type is not null then lower(sender_type)
        when agent_id is not null or nick like 'agent%' then 'agent'
        when nick like 'trigger%' then 'trigger'
        when nick like 'visitor%' or name = visitor_name then 'visitor'
        when {{ zendesk_chat.json_contains('agent_names', 'name') }} then 'agent'
        else 'other'
    end as sender,
    name,
    type,
    coalesce(message, file_name) as message
from item
where type in ('chat.msg', 'chat.file')
union all
select chat_id, 0, started_at, 'visitor', visitor_name, type, message
from chat
where type = 'offline_msg' and message is not null

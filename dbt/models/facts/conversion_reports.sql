with chat as (
    select chat_id, started_at, conversions, is_deleted
    from {{ ref('stg_zendesk_chat__chats') }}
    where {{ zendesk_chat.has_chat_conversions() }}
),

kept_chat as (
    select *
    from chat
    where not is_deleted
),

in_chat as (
    {{ zendesk_chat.json_objects('kept_chat', 'conversions', ['chat_id', 'started_at'], {
        'conversion_id': ['id', 'text'],
        'converted_text': ['timestamp', 'text'],
        'goal_id': ['goal_id', 'text'],
        'goal_name': ['goal_name', 'text'],
        'attribution': ['attribution', 'json'],
    }) | indent(4) }}
),

alone as (
    select *, {{ zendesk_chat.json_text('attribution', 'chat_id') }} as chat_id
    from {{ ref('stg_zendesk_chat__conversions') }}
    where {{ zendesk_chat.has_conversions() }}
)

select
    conversion_id,
    {{ zendesk_chat.time_in('converted_text') }} as converted_at,
    goal_id,
    goal_name,
    attribution,
    chat_id,
    started_at as chat_started_at
from in_chat
union all
select
    alone.conversion_id,
    alone.converted_at,
    alone.goal_id,
    alone.goal_name,
    alone.attribution,
    alone.chat_id,
    coalesce(chat.started_at, {{ zendesk_chat.time_in(zendesk_chat.json_text('alone.attribution', 'chat_timestamp')) }})
from alone
left join chat on chat.chat_id = alone.chat_id
where not coalesce(chat.is_deleted, false)

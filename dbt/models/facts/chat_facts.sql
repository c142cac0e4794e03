with chat as (
    select *, {{ zendesk_chat.local_time('started_at') }} as started_local
    from {{ ref('stg_zendesk_chat__chats') }}
    where not is_deleted and {{ zendesk_chat.has_chats() }}
)

select
    chat.chat_id,
    coalesce(chat.type, 'chat') as type,
    chat.started_by,
    chat.started_at,
    {{ zendesk_chat.end_of('chat.started_at', 'chat.api_ended_at', 'chat.duration_seconds') }} as ended_at,
    cast(chat.started_local as date) as day,
    {{ zendesk_chat.weekday_of('chat.started_local') }} as weekday,
    {{ zendesk_chat.hour_of('chat.started_local') }} as hour,
    nullif({{ zendesk_chat.json_text('chat.visitor', 'id') }}, '') as visitor_id,
    upper(nullif({{ zendesk_chat.json_text('chat.session', 'country_code') }}, '')) as country_code,
    coalesce(
        nullif({{ zendesk_chat.json_text('chat.session', 'country_name') }}, ''),
        upper(nullif({{ zendesk_chat.json_text('chat.session', 'country_code') }}, '')),
        '(none)'
    ) as country,
    chat.department_id,
    coalesce(departments.department, chat.department_id, nullif(chat.department_name, ''), '(none)') as department,
    chat.ticket_id,
    {{ zendesk_chat.string_list('chat.tags') }} as tags,
    coalesce(chat.missed, false) as is_missed,
    coalesce(chat.dropped, false) as is_dropped,
    coalesce(chat.abandon_seconds > 0, false) as is_abandoned,
    case when chat.abandon_seconds > 0 then {{ zendesk_chat.plausible('chat.abandon_seconds') }} end as abandon_seconds,
    {{ zendesk_chat.plausible(zendesk_chat.number_in(zendesk_chat.json_text('chat.response_time', 'first'))) }} as first_response_seconds,
    {{ zendesk_chat.plausible('chat.duration_seconds') }} as duration_seconds,
    chat.rating,
    nullif(trim(chat.comment), '') as comment
from chat
left join {{ ref('department_names') }} as departments on departments.department_id = chat.department_id

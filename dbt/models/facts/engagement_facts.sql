with chat as (
    select
        chat_id,
        started_at as chat_started_at,
        api_ended_at,
        duration_seconds,
        department_id,
        response_time,
        rating,
        comment,
        agent_ids,
        agent_names,
        engagements,
        {{ zendesk_chat.json_length('agent_ids') }} as agents
    from {{ ref('stg_zendesk_chat__chats') }}
    where not is_deleted and coalesce(type, 'chat') <> 'offline_msg' and {{ zendesk_chat.has_engagements() }}
),

engaged as (
    {{ zendesk_chat.json_objects('chat', 'engagements', ['chat_id', 'chat_started_at'], {
        'engagement_id': ['id', 'text'],
        'agent_id': ['agent_id', 'text'],
        'agent_name': ['agent_name', 'text'],
        'department_id': ['department_id', 'text'],
        'accepted': ['accepted', 'boolean'],
        'started_text': ['timestamp', 'text'],
        'duration_seconds': ['duration', 'number'],
        'first_response_seconds': ['response_time.first', 'number'],
        'rating': ['rating', 'text'],
        'comment': ['comment', 'text'],
    }) | indent(4) }}
),

engaged_at as (
    select *, {{ zendesk_chat.time_in('started_text') }} as started_at
    from engaged
),

-- Chats without engagements, once for each of their agents.
old_chat as (
    select *
    from chat
    where coalesce({{ zendesk_chat.json_length('engagements') }}, 0) = 0
),

listed as (
    {{ zendesk_chat.json_strings('old_chat', 'agent_ids', [
        'chat_id', 'chat_started_at', 'api_ended_at', 'duration_seconds', 'department_id', 'response_time', 'rating', 'comment',
        'agent_names', 'agents',
    ], 'agent_id') | indent(4) }}
),

part as (
    select
        engagement_id,
        chat_id,
        chat_started_at,
        agent_id,
        agent_name,
        department_id,
        coalesce(accepted, true) as accepted,
        started_at,
        {{ zendesk_chat.seconds_after('started_at', 'duration_seconds') }} as ended_at,
        duration_seconds,
        first_response_seconds,
        rating,
        comment
    from engaged_at
    union all
    select
        null,
        chat_id,
        chat_started_at,
        agent_id,
        {{ zendesk_chat.json_element('agent_names', 'position') }},
        department_id,
        true,
        chat_started_at,
        {{ zendesk_chat.end_of('chat_started_at', 'api_ended_at', 'duration_seconds') }},
        case when agents = 1 then duration_seconds end,
        case when agents = 1 then {{ zendesk_chat.number_in(zendesk_chat.json_text('response_time', 'first')) }} end,
        case when agents = 1 then rating end,
        case when agents = 1 then comment end
    from listed
)

select
    part.engagement_id,
    part.chat_id,
    {{ zendesk_chat.local_day('part.chat_started_at') }} as day,
    part.agent_id,
    coalesce(agents.agent, part.agent_id, nullif(part.agent_name, ''), '(none)') as agent,
    part.department_id,
    coalesce(departments.department, part.department_id, '(none)') as department,
    part.accepted,
    part.started_at,
    part.ended_at,
    {{ zendesk_chat.plausible('part.first_response_seconds') }} as first_response_seconds,
    {{ zendesk_chat.plausible('part.duration_seconds') }} as duration_seconds,
    part.rating,
    nullif(trim(part.comment), '') as comment
from part
left join {{ ref('agent_names') }} as agents on agents.agent_id = part.agent_id
left join {{ ref('department_names') }} as departments on departments.department_id = part.department_id

with chat as (
    select chat_id, started_at, agent_ids, agent_names, engagements
    from {{ ref('stg_zendesk_chat__chats') }}
    where {{ zendesk_chat.has_columns('chats', ['timestamp', 'agent_ids', 'engagements']) }}
),

engaged as (
    {{ zendesk_chat.json_objects('chat', 'engagements', ['started_at'], {
        'agent_id': ['agent_id', 'text'],
        'agent': ['agent_name', 'text'],
    }) | indent(4) }}
),

listed as (
    {{ zendesk_chat.json_strings('chat', 'agent_ids', ['started_at', 'agent_ids', 'agent_names'], 'agent_id') | indent(4) }}
),

named as (
    select agent_id, agent, null as seen_at, 1 as is_current
    from {{ ref('stg_zendesk_chat__agents') }}
    where {{ zendesk_chat.has_columns('agents', ['id', 'display_name']) }}
    union all
    select agent_id, agent, started_at, 0
    from engaged
    union all
    select agent_id, {{ zendesk_chat.json_element('agent_names', 'position') }}, started_at, 0
    from listed
    where {{ zendesk_chat.json_length('agent_ids') }} = {{ zendesk_chat.json_length('agent_names') }}
),

ranked as (
    select
        agent_id,
        nullif(agent, '') as agent,
        row_number() over (
            partition by agent_id
            order by
                case when agent <> '' then 0 else 1 end,
                is_current desc,
                seen_at desc nulls last,
                {{ zendesk_chat.by_code('agent') }} desc nulls last
        ) as rank
    from named
    where agent_id is not null
)

select agent_id, agent
from ranked
where rank = 1

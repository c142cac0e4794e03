with credited as (
    select day, agent_id, agent, chat_id, null as conversion_id, null as converted_chat_id
    from {{ ref('engagement_facts') }}
    where accepted and agent_id is not null
    union all
    select {{ zendesk_chat.local_day('chat_started_at') }}, agent_id, agent, null, coalesce(conversion_id, ''), chat_id
    from {{ ref('conversion_facts') }}
),

credited_in_month as (
    select *, {{ zendesk_chat.month_of('day') }} as month
    from credited
    where {{ zendesk_chat.has_engagements() }}
        and ({{ zendesk_chat.has_conversions() }} or {{ zendesk_chat.has_chat_conversions() }})
),

counted as (
    select
        month,
        agent_id,
        agent,
        count(distinct chat_id) as chats,
        count(conversion_id) as conversions,
        count(distinct converted_chat_id) as converted_chats
    from credited_in_month
    group by month, agent_id, agent
)

select
    month,
    agent_id,
    agent,
    chats,
    conversions,
    converted_chats,
    {{ zendesk_chat.share('converted_chats', 'chats') }} as conversion_share
from counted

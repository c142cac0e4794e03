with engagement as (
    select *, {{ zendesk_chat.month_of('day') }} as month
    from {{ ref('engagement_facts') }}
    where accepted and first_response_seconds is not null
)

select
    month,
    agent_id,
    agent,
    count(distinct chat_id) as answered,
    {{- zendesk_chat.lengths() }}
from engagement
group by month, agent_id, agent

with taken as (
    select chat.day, chat.chat_id, part.agent_id, coalesce(part.agent, '(none)') as agent, part.chat_id as engaged_chat_id
    from {{ ref('chat_facts') }} as chat
    left join {{ ref('engagement_facts') }} as part on part.chat_id = chat.chat_id and part.accepted
    where chat.type = 'chat' and {{ zendesk_chat.has_engagements() }}
)

select
    day,
    agent_id,
    agent,
    count(distinct chat_id) as chats,
    count(engaged_chat_id) as engagements
from taken
group by day, agent_id, agent

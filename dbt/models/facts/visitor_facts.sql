select
    visitor_id,
    count(*) as chats,
    {{ zendesk_chat.count_if('is_missed') }} as missed,
    {{ zendesk_chat.count_if("rating = 'good'") }} as good,
    {{ zendesk_chat.count_if("rating = 'bad'") }} as bad,
    min(started_at) as first_chat_at,
    max(started_at) as last_chat_at
from {{ ref('chat_facts') }}
where type = 'chat' and visitor_id is not null
group by visitor_id

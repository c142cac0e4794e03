select
    day,
    count(*) as answered,
    {{- zendesk_chat.lengths() }}
from {{ ref('chat_facts') }}
where type = 'chat' and first_response_seconds is not null
group by day

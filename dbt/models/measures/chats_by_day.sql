select
    day,
    {{ zendesk_chat.count_if("type = 'chat'") }} as chats,
    {{ zendesk_chat.count_if("type = 'offline_msg'") }} as offline_messages,
    {{ zendesk_chat.count_if("type = 'chat' and started_by = 'visitor'") }} as started_by_visitor,
    {{ zendesk_chat.count_if("type = 'chat' and started_by = 'agent'") }} as started_by_agent,
    {{ zendesk_chat.count_if("type = 'chat' and started_by = 'trigger'") }} as started_by_trigger
from {{ ref('chat_facts') }}
group by day

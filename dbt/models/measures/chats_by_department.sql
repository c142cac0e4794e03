select
    day,
    department_id,
    department,
    {{ zendesk_chat.count_if("type = 'chat'") }} as chats,
    {{ zendesk_chat.count_if("type = 'offline_msg'") }} as offline_messages
from {{ ref('chat_facts') }}
group by day, department_id, department

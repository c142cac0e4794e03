{{ zendesk_chat.satisfaction_by(['day', 'department_id', 'department'], ref('chat_facts'), "type = 'chat'") }}

{{ zendesk_chat.satisfaction_by(['day'], ref('chat_facts'), "type = 'chat'") }}

{{ zendesk_chat.concurrent_chats(ref('chat_facts'), "type = 'chat'") }}

{{ zendesk_chat.concurrent_chats(ref('engagement_facts'), 'accepted and agent_id is not null', ['agent_id', 'agent']) }}

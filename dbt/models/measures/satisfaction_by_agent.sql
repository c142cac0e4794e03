{{ zendesk_chat.satisfaction_by(['day', 'agent_id', 'agent'], ref('engagement_facts'), 'accepted') }}

{{ zendesk_chat.missed_by(['day']) }}

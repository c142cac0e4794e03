{{ zendesk_chat.missed_by(['day', 'department_id', 'department']) }}

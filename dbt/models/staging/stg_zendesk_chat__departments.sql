{{ zendesk_chat.select_loaded('departments', {'id': 'department_id', 'name': 'department'}) }}

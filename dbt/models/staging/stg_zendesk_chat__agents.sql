{{ zendesk_chat.select_loaded('agents', {'id': 'agent_id', 'display_name': 'agent'}) }}

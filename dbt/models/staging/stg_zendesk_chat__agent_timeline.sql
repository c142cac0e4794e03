{{ zendesk_chat.select_loaded('agent_timeline', {
    'agent_id': 'agent_id',
    'status': 'status',
    'start_time': 'started_at',
    'duration': 'duration_seconds',
}) }}

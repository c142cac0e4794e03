{{ zendesk_chat.select_loaded('conversions', {
    'id': 'conversion_id',
    'timestamp': 'converted_at',
    'goal_id': 'goal_id',
    'goal_name': 'goal_name',
    'attribution': 'attribution',
}) }}

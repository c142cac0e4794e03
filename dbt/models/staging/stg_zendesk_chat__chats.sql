with loaded as (
    {{ zendesk_chat.select_loaded('chats', {
        'id': 'chat_id',
        'type': 'type',
        'timestamp': 'started_at',
        'end_timestamp': 'api_ended_at',
        'duration': 'duration_seconds',
        'started_by': 'started_by',
        'deleted': 'deleted',
        'department_id': 'department_id',
        'department_name': 'department_name',
        'missed': 'missed',
        'dropped': 'dropped',
        'abandon_time': 'abandon_seconds',
        'response_time': 'response_time',
        'rating': 'rating',
        'comment': 'comment',
        'message': 'message',
        'zendesk_ticket_id': 'ticket_id',
        'visitor': 'visitor',
        'session': 'session',
        'tags': 'tags',
        'agent_ids': 'agent_ids',
        'agent_names': 'agent_names',
        'engagements': 'engagements',
        'conversions': 'conversions',
        'history': 'history',
    }) }}
)

select *, coalesce(deleted, false) as is_deleted
from loaded

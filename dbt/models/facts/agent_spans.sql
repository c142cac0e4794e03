select
    agent_id,
    coalesce(status, '(none)') as activity,
    started_at,
    {{ zendesk_chat.seconds_after('started_at', 'duration_seconds') }} as ended_at
from {{ ref('stg_zendesk_chat__agent_timeline') }}
where agent_id is not null and {{ zendesk_chat.has_timeline() }}
union all
select agent_id, 'chatting', started_at, ended_at
from {{ ref('engagement_facts') }}
where accepted and agent_id is not null and {{ zendesk_chat.has_timeline() }}

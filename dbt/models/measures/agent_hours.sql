with counted as (
    select
        day,
        agent_id,
        agent,
        {%- for activity in ['online', 'away', 'invisible', 'chatting'] %}
        coalesce(sum(case when activity = '{{ activity }}' then hours end), 0) as {{ activity }}_hours{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('agent_time') }}
    group by day, agent_id, agent
)

select
    day,
    agent_id,
    agent,
    online_hours,
    away_hours,
    invisible_hours,
    chatting_hours,
    {{ zendesk_chat.share('chatting_hours', 'online_hours') }} as utilisation
from counted

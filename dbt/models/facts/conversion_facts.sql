with report as (
    select *, {{ zendesk_chat.json_text('attribution', 'chat_id') }} as credited_chat_id
    from {{ ref('conversion_reports') }}
),

goal as (
    select
        goal_id,
        goal_name,
        row_number() over (
            partition by goal_id
            order by converted_at desc nulls last, {{ zendesk_chat.by_code('goal_name') }} desc
        ) as rank
    from report
    where goal_id is not null and goal_name <> ''
),

numbered as (
    select
        *,
        row_number() over (
            partition by conversion_id
            order by
                {{ zendesk_chat.by_code('chat_id') }} nulls last,
                {{ zendesk_chat.by_code('credited_chat_id') }} nulls first,
                {{ zendesk_chat.json_by_code('attribution') }} nulls last
        ) as version
    from report
),

once as (
    select
        *,
        {{ zendesk_chat.json_text('attribution', 'agent_id') }} as agent_id,
        {{ zendesk_chat.json_text('attribution', 'agent_name') }} as agent_name,
        {{ zendesk_chat.json_text('attribution', 'department_id') }} as department_id,
        {{ zendesk_chat.json_text('attribution', 'department_name') }} as department_name
    from numbered
    where conversion_id is null or version = 1
)

select
    once.conversion_id,
    once.converted_at,
    {{ zendesk_chat.local_day('once.converted_at') }} as day,
    once.goal_id,
    coalesce(
        case when once.goal_id is null then nullif(once.goal_name, '') else goal.goal_name end,
        once.goal_id,
        '(none)'
    ) as goal,
    once.agent_id,
    coalesce(agents.agent, once.agent_id, nullif(once.agent_name, ''), '(none)') as agent,
    once.department_id,
    coalesce(departments.department, once.department_id, nullif(once.department_name, ''), '(none)') as department,
    once.chat_id,
    once.chat_started_at
from once
left join goal on goal.goal_id = once.goal_id and goal.rank = 1
left join {{ ref('agent_names') }} as agents on agents.agent_id = once.agent_id
left join {{ ref('department_names') }} as departments on departments.department_id = once.department_id

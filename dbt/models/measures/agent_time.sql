with ordered as (
    select
        *,
        max(ended_at) over (
            partition by agent_id, activity
            order by started_at, ended_at
            rows between unbounded preceding and 1 preceding
        ) as counted_until
    from {{ ref('agent_spans') }}
    where ended_at > started_at
),

once as (
    select
        agent_id,
        activity,
        case when counted_until > started_at then counted_until else started_at end as opened,
        ended_at as closed
    from ordered
    where counted_until is null or ended_at > counted_until
),

span as (
    select
        *,
        {{ zendesk_chat.local_day('opened') }} as first_day,
        {{ zendesk_chat.local_day("closed - interval '1 microsecond'") }} as last_day
    from once
),

daily as (
    select agent_id, activity, opened, closed, {{ zendesk_chat.day_of_number('number') }} as day
    from span
    {{ zendesk_chat.join_numbers(zendesk_chat.day_number('first_day'), zendesk_chat.day_number('last_day'), 'number') }}
),

bounded as (
    select
        day,
        agent_id,
        activity,
        greatest(opened, {{ zendesk_chat.midnight('day') }}) as opened,
        least(closed, {{ zendesk_chat.midnight('(day + 1)') }}) as closed
    from daily
)

select
    bounded.day,
    bounded.agent_id,
    coalesce(agents.agent, bounded.agent_id) as agent,
    bounded.activity,
    cast(
        sum({{ zendesk_chat.microseconds('bounded.closed') }} - {{ zendesk_chat.microseconds('bounded.opened') }})
        as double precision
    ) / 3600000000 as hours
from bounded
left join {{ ref('agent_names') }} as agents on agents.agent_id = bounded.agent_id
group by bounded.day, bounded.agent_id, coalesce(agents.agent, bounded.agent_id), bounded.activity

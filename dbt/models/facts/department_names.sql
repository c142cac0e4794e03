with named as (
    select department_id, department, null as seen_at, 1 as is_current
    from {{ ref('stg_zendesk_chat__departments') }}
    where {{ zendesk_chat.has_columns('departments', ['id', 'name']) }}
    union all
    select department_id, department_name, started_at, 0
    from {{ ref('stg_zendesk_chat__chats') }}
    where {{ zendesk_chat.has_columns('chats', ['department_id', 'department_name', 'timestamp']) }}
),

ranked as (
    select
        department_id,
        nullif(department, '') as department,
        row_number() over (
            partition by department_id
            order by
                case when department <> '' then 0 else 1 end,
                is_current desc,
                seen_at desc nulls last,
                {{ zendesk_chat.by_code('department') }} desc nulls last
        ) as rank
    from named
    where department_id is not null
)

select department_id, department
from ranked
where rank = 1

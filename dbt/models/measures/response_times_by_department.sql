with chat as (
    select *, {{ zendesk_chat.month_of('day') }} as month
    from {{ ref('chat_facts') }}
    where type = 'chat' and first_response_seconds is not null
)

select
    month,
    department_id,
    department,
    count(*) as answered,
    {{- zendesk_chat.lengths() }}
from chat
group by month, department_id, department

with chat as (
    select
        {{ zendesk_chat.month_of('day') }} as month,
        visitor_id,
        started_at,
        case
            when visitor_id is not null
            then lag(started_at) over (partition by visitor_id order by started_at nulls last, {{ zendesk_chat.by_code('chat_id') }})
        end as previous_at
    from {{ ref('chat_facts') }}
    where type = 'chat' and {{ zendesk_chat.has_columns('chats', ['visitor']) }}
),

counted as (
    select
        month,
        count(distinct visitor_id) as visitors,
        count(distinct case when started_at >= previous_at then visitor_id end) as repeat_visitors,
        count(*) as chats,
        {{ zendesk_chat.count_if('started_at >= previous_at') }} as repeat_chats,
        {{ zendesk_chat.count_if("started_at <= previous_at + interval '168 hours'") }} as repeat_chats_7_days
    from chat
    group by month
)

select
    month,
    visitors,
    repeat_visitors,
    {{ zendesk_chat.share('repeat_visitors', 'visitors') }} as repeat_visitors_share,
    chats,
    repeat_chats,
    {{ zendesk_chat.share('repeat_chats', 'chats') }} as repeat_chats_share,
    repeat_chats_7_days,
    {{ zendesk_chat.share('repeat_chats_7_days', 'chats') }} as repeat_chats_7_days_share
from counted

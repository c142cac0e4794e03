with chat as (
    select
        *,
        {{ zendesk_chat.month_of('day') }} as month,
        case when type = 'chat' then first_response_seconds end as chat_response_seconds
    from {{ ref('chat_facts') }}
),

counted as (
    select
        month,
        weekday,
        hour,
        {{ zendesk_chat.count_if("type = 'chat'") }} as chats,
        {{ zendesk_chat.count_if("type = 'offline_msg'") }} as offline_messages,
        {{ zendesk_chat.count_if("type = 'chat' and is_missed") }} as missed,
        {{ zendesk_chat.percentile('chat_response_seconds', 0.5) }} as first_response_seconds_p50
    from chat
    group by month, weekday, hour
)

select
    month,
    weekday,
    hour,
    chats,
    offline_messages,
    missed,
    {{ zendesk_chat.share('missed', 'chats') }} as missed_share,
    first_response_seconds_p50
from counted

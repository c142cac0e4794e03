with chat as (
    select *, {{ zendesk_chat.month_of('day') }} as month
    from {{ ref('chat_facts') }}
    where type = 'chat' and {{ zendesk_chat.has_columns('chats', ['tags']) }}
),

chat_of_month as (
    select *, count(*) over (partition by month) as month_chats
    from chat
),

counted as (
    select
        month,
        tag,
        count(*) as chats,
        max(month_chats) as month_chats,
        {{ zendesk_chat.count_if('is_missed') }} as missed,
        count(first_response_seconds) as answered,
        {{ zendesk_chat.percentile('first_response_seconds', 0.5) }} as first_response_seconds_p50,
        {{ zendesk_chat.count_if("rating = 'good'") }} as good,
        {{ zendesk_chat.count_if("rating = 'bad'") }} as bad
    from chat_of_month
    {{ zendesk_chat.join_strings('tags', 'tag', "'(none)'") }}
    group by month, tag
)

select
    month,
    tag,
    chats,
    {{ zendesk_chat.share('chats', 'month_chats') }} as chats_share,
    missed,
    {{ zendesk_chat.share('missed', 'chats') }} as missed_share,
    answered,
    first_response_seconds_p50,
    good,
    bad,
    {{ zendesk_chat.share('good', '(good + bad)') }} as good_share
from counted

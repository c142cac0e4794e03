with chat as (
    select
        *,
        {{ zendesk_chat.month_of('day') }} as month,
        case when country_code is null then country end as country_without_code
    from {{ ref('chat_facts') }}
    where type = 'chat' and {{ zendesk_chat.has_columns('chats', ['session']) }}
),

counted as (
    select
        month,
        country_code,
        max({{ zendesk_chat.by_code('country') }}) as country,
        count(*) as chats,
        {{ zendesk_chat.count_if('is_missed') }} as missed,
        count(first_response_seconds) as answered,
        {{ zendesk_chat.percentile('first_response_seconds', 0.5) }} as first_response_seconds_p50,
        {{ zendesk_chat.count_if("rating = 'good'") }} as good,
        {{ zendesk_chat.count_if("rating = 'bad'") }} as bad
    from chat
    group by month, country_code, country_without_code
),

counted_in_month as (
    select *, sum(chats) over (partition by month) as month_chats
    from counted
)

select
    month,
    country_code,
    country,
    chats,
    {{ zendesk_chat.share('chats', 'month_chats') }} as chats_share,
    missed,
    {{ zendesk_chat.share('missed', 'chats') }} as missed_share,
    answered,
    first_response_seconds_p50,
    good,
    bad,
    {{ zendesk_chat.share('good', '(good + bad)') }} as good_share
from counted_in_month

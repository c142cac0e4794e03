{# Columns of aggregates that several models have. #}

{% macro lengths() -%}
    {%- for seconds in ['first_response_seconds', 'duration_seconds'] %}
    {{ zendesk_chat.one_decimal('avg(' ~ seconds ~ ')') }} as {{ seconds }}_avg,
    {%- for percent in [50, 90, 95] %}
    {{ zendesk_chat.percentile(seconds, percent / 100) }} as {{ seconds }}_p{{ percent }}{{ ',' if not loop.last }}
    {%- endfor %}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# How many chats nobody answered, and their shares, by these columns. #}
{% macro missed_by(columns) -%}
with counted as (
    select
        {{ columns | join(',\n        ') }},
        count(*) as chats,
        {{ zendesk_chat.count_if('is_missed') }} as missed,
        {{ zendesk_chat.count_if('is_dropped') }} as dropped,
        {{ zendesk_chat.count_if('is_abandoned') }} as abandoned,
        {{ zendesk_chat.one_decimal('avg(abandon_seconds)') }} as abandon_seconds_avg
    from {{ ref('chat_facts') }}
    where type = 'chat'
    group by {{ columns | join(', ') }}
)

select
    {{ columns | join(',\n    ') }},
    chats,
    missed,
    dropped,
    abandoned,
    {{ zendesk_chat.share('missed', 'chats') }} as missed_share,
    {{ zendesk_chat.share('dropped', 'chats') }} as dropped_share,
    {{ zendesk_chat.share('abandoned', 'chats') }} as abandoned_share,
    abandon_seconds_avg
from counted
{%- endmacro %}

{# How visitors rated, by these columns. #}
{% macro satisfaction_by(columns, facts, condition) -%}
with counted as (
    select
        {{ columns | join(',\n        ') }},
        {{ zendesk_chat.count_if("rating = 'good'") }} as good,
        {{ zendesk_chat.count_if("rating = 'bad'") }} as bad,
        count(comment) as comments
    from {{ facts }}
    where {{ condition }} and (rating in ('good', 'bad') or comment is not null)
    group by {{ columns | join(', ') }}
)

select
    {{ columns | join(',\n    ') }},
    good,
    bad,
    {{ zendesk_chat.share('good', '(good + bad)') }} as good_share,
    comments
from counted
{%- endmacro %}

{# How many chats were open at once in each hour: of all, or of each agent if `key` has its columns. #}
{% macro concurrent_chats(facts, condition, key=[]) -%}
{%- set keys = key | map('string') | join(', ') ~ ', ' if key else '' -%}
with span as (
    select
        {{ keys }}{{ zendesk_chat.microseconds('started_at') }} as opened,
        {{ zendesk_chat.microseconds('ended_at') }} as closed
    from {{ facts }}
    where ended_at > started_at and {{ condition }}
),

piece as (
    select
        {{ keys }}slot,
        greatest(opened, slot * 3600000000) as opened,
        least(closed, (slot + 1) * 3600000000) as closed
    from span
    {{ zendesk_chat.join_numbers(zendesk_chat.hour_number('opened'), zendesk_chat.hour_number('closed - 1'), 'slot') }}
),

step as (
    select {{ keys }}slot, opened as changed_at, 1 as change, closed - opened as length
    from piece
    union all
    select {{ keys }}slot, closed, -1, 0
    from piece
),

running as (
    select {{ keys }}slot, length, sum(change) over (partition by {{ keys }}slot order by changed_at, change) as open_chats
    from step
)

select
    {{ zendesk_chat.local_time('to_timestamp(slot * 3600)') }} as hour_start,
    {{ keys }}cast(max(open_chats) as bigint) as peak,
    cast(sum(length) as double precision) / 3600000000 as average
from running
group by {{ keys }}slot
{%- endmacro %}

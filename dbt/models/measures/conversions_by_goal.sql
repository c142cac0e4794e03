select day, goal_id, goal, count(*) as conversions, count(distinct chat_id) as converted_chats
from {{ ref('conversion_facts') }}
group by day, goal_id, goal

-- Reporting views over the loaded tables. Each view uses only earlier ones.
-- If a view has two definitions, the second is for files that lack tables or columns of the first.
-- Identifiers are text in all views, whatever their type in a table.
-- main is the schema of the tables, analytics the schema of the views. Other schemas replace them. The stored time zone replaces $time_zone.
-- Macros that begin with an underscore are for the views only.

-- Columns. A name has the same meaning in every view.
--
-- abandon_seconds: Seconds that the visitor waited before giving up; null if the chat was not abandoned.
-- abandon_seconds_avg: Average seconds that the visitors of abandoned chats waited.
-- abandoned: Chats whose visitor gave up waiting: their abandon_time is above 0.
-- abandoned_share: Abandoned chats as a share (0 to 1) of all chats.
-- accepted: Whether the agent took the chat; true if the API does not say.
-- activity: A status of the agent, or chatting: in at least one chat, whatever the status.
-- agent: The agent's current name, or for a deleted agent the last name in a chat; (none) without an agent. Two agents may share a name.
-- agent_id: Identifier of the agent, as text; null without an agent.
-- answered: Chats with a first response by an agent.
-- attribution: Who the conversion is credited to, as the API sends it (JSON).
-- average: Average number of concurrent chats in the hour: their seconds in the hour, divided by 3600.
-- away_hours: Hours in the status away.
-- bad: Ratings that are bad.
-- chat_id: Identifier of the chat or offline message.
-- chat_started_at: Start of the chat credited with the conversion.
-- chats: Chats, each counted once, without offline messages and deleted chats.
-- chats_share: The chats of the row as a share (0 to 1) of all chats of the month.
-- chatting_hours: Hours in at least one chat, however many at once.
-- comment: The visitor's comment on the rating.
-- comments: Comments on ratings that are not empty.
-- conversion_id: Identifier of the conversion.
-- conversion_share: Converted chats as a share of the chats; null if there are none.
-- conversions: Conversions, each counted once.
-- converted_at: When the visitor reached the goal.
-- converted_chats: Chats credited with at least one conversion.
-- country: Name of the visitor's country, or its code if the name is missing; (none) if unknown.
-- country_code: Two-letter code of the visitor's country, which Zendesk derives from the IP address; null if unknown.
-- day: Day in the account's time zone; for chats, the day of their start. Null if the time is unreadable.
-- department: The department's current name, or for a deleted department the last name in a chat; (none) without a department. Two departments may share a name.
-- department_id: Identifier of the department, as text; null without a department.
-- dropped: Chats that the API marks as dropped: the visitor left before an agent answered.
-- dropped_share: Dropped chats as a share (0 to 1) of all chats.
-- duration_seconds: Length in seconds, as the API sends it; null if it is negative or longer than 30 years.
-- duration_seconds_avg: Average length of answered chats in seconds.
-- duration_seconds_p50: Half of the answered chats were no longer than this.
-- duration_seconds_p90: 90% of the answered chats were no longer than this.
-- duration_seconds_p95: 95% of the answered chats were no longer than this.
-- ended_at: End of the chat. If the API sends no end, or one that is before the start or 30 years later, this is start plus duration. Null on offline messages.
-- engagement_id: Identifier of the engagement in its chat; null if the row comes from the chat's agent_ids.
-- engagements: Engagements of agents in chats; more than the chats if an agent left one and came back.
-- first_chat_at: Start of the visitor's first chat.
-- first_response_seconds: Seconds until an agent's first response; null if there was none, or if the API sends a negative time.
-- first_response_seconds_avg: Average seconds until the first response.
-- first_response_seconds_p50: Half of the answered chats had their first response within this many seconds.
-- first_response_seconds_p90: 90% of the answered chats had their first response within this many seconds.
-- first_response_seconds_p95: 95% of the answered chats had their first response within this many seconds.
-- goal: The goal's latest name.
-- goal_id: Identifier of the goal, as text.
-- goal_name: The goal's name as the API sends it.
-- good: Ratings that are good.
-- good_share: Good ratings as a share (0 to 1) of good and bad ones; null if there are none.
-- hour: Hour of the day in which the chat started, from 0 to 23, in the account's time zone.
-- hour_start: Start of the hour in the account's time zone.
-- hours: Hours of the activity on that day; overlapping spans count once.
-- invisible_hours: Hours in the status invisible.
-- is_abandoned: Whether the visitor gave up waiting: abandon_time is above 0.
-- is_dropped: Whether the API marks the chat as dropped.
-- is_missed: Whether the API marks the chat as missed.
-- last_chat_at: Start of the visitor's latest chat.
-- message: The message; for a file, its name.
-- missed: Chats that the API marks as missed: no agent answered.
-- missed_share: Missed chats as a share (0 to 1) of all chats.
-- month: First day of the month in which the chats started, in the account's time zone. Null if the time is unreadable.
-- name: The name that the sender had in the chat.
-- offline_messages: Messages that visitors left while nobody was online.
-- online_hours: Hours in the status online.
-- peak: Highest number of concurrent chats in the hour.
-- position: Position in the chat's history, from 0.
-- rating: good, bad or null.
-- repeat_chats: Chats whose visitor had chatted before, at any time.
-- repeat_chats_7_days: Repeat chats that started at most 7 days after the visitor's chat before.
-- repeat_chats_7_days_share: Repeat chats within 7 days as a share (0 to 1) of all chats.
-- repeat_chats_share: Repeat chats as a share (0 to 1) of all chats.
-- repeat_visitors: Visitors with a repeat chat in the month.
-- repeat_visitors_share: Repeat visitors as a share (0 to 1) of the visitors; null if there are none.
-- sender: visitor, agent, trigger, or other if an old chat does not say.
-- sent_at: When it was sent.
-- started_at: Start of the chat; for an offline message, when it was left.
-- started_by: visitor, agent or trigger.
-- started_by_agent: Chats that an agent started.
-- started_by_trigger: Chats that a trigger started.
-- started_by_visitor: Chats that the visitor started.
-- tag: A tag; (none) stands for the chats without tags.
-- tags: Tags of the chat, as a list in alphabetical order; empty if there are none.
-- ticket_id: Identifier of the ticket in Zendesk Support made from the chat, as text; null if there is none.
-- type: chat or offline_msg; in the transcript chat.msg, chat.file or offline_msg.
-- utilisation: chatting_hours divided by online_hours. Above 1 if an agent chats in another status; null if never online.
-- visitor_id: Identifier of the visitor: id in the visitors table.
-- visitors: Visitors with a chat in the month.
-- weekday: Day of the week on which the chat started, in the account's time zone. It sorts from Monday to Sunday.

-- The time zone of the views: the session variable time_zone, or else the stored time zone.
CREATE OR REPLACE MACRO analytics.time_zone() AS coalesce(getvariable('time_zone'), $time_zone);

-- A timestamp in the time zone of the views.
CREATE OR REPLACE MACRO analytics.local_time(utc_time) AS timezone(analytics.time_zone(), utc_time);

-- The start of a day in the time zone of the views.
CREATE OR REPLACE MACRO analytics._midnight(day) AS
CASE
    WHEN analytics.local_time(timezone(analytics.time_zone(), day) - INTERVAL 1 HOUR) >= day
    THEN timezone(analytics.time_zone(), day) - INTERVAL 1 HOUR
    ELSE timezone(analytics.time_zone(), day)
END;

-- The time in a string, in UTC if the string has no time zone; null if it is unreadable.
CREATE OR REPLACE MACRO analytics._utc(string) AS timezone('UTC', try_cast(string AS TIMESTAMP_US));

-- A time plus a number of seconds; null if they are negative or more than 30 years.
CREATE OR REPLACE MACRO analytics._seconds_after(start_time, seconds) AS
CASE WHEN seconds BETWEEN 0 AND 1_000_000_000 THEN start_time + to_microseconds(CAST(round(CAST(seconds AS DOUBLE) * 1_000_000) AS BIGINT)) END;

-- A number of seconds, unchanged; null if it is negative or more than 30 years.
CREATE OR REPLACE MACRO analytics._plausible(seconds) AS CASE WHEN seconds BETWEEN 0 AND 1_000_000_000 THEN seconds END;

-- Microseconds since 1970 as hours since 1970, rounded down; negative before 1970.
CREATE OR REPLACE MACRO analytics._hours_since_1970(microseconds) AS
(microseconds - (microseconds % 3_600_000_000 + 3_600_000_000) % 3_600_000_000) // 3_600_000_000;

-- A part divided by its total, with four decimals; null if the total is 0.
CREATE OR REPLACE MACRO analytics._share(part, total) AS round(part / nullif(total, 0), 4);

-- A number with one decimal. The last digits of an average depend on the order of the rows, so a half is rounded without them.
CREATE OR REPLACE MACRO analytics._one_decimal(number) AS round(round(number, 6), 1);

-- The first day of a day's month.
CREATE OR REPLACE MACRO analytics._month_of(day) AS CAST(date_trunc('month', day) AS DATE);

-- When a chat ended: the API's end, or start plus duration if that is missing or impossible.
CREATE OR REPLACE MACRO analytics._end_of(start_time, end_time, seconds) AS
CASE WHEN end_time BETWEEN start_time AND analytics._seconds_after(start_time, 1_000_000_000) THEN end_time ELSE analytics._seconds_after(start_time, seconds) END;

-- Current names of agents; for deleted agents, their last names in chats.
CREATE OR REPLACE VIEW analytics.agent_names AS
WITH chat AS (
    SELECT coalesce(timestamp, '-infinity') AS seen_at, agent_ids, agent_names, engagements
    FROM (FROM main.chats UNION ALL BY NAME SELECT CAST(NULL AS JSON) AS agent_names WHERE false)
),
names AS (
    SELECT CAST(id AS VARCHAR) AS agent_id, nullif(display_name, '') AS agent, TIMESTAMPTZ 'infinity' AS seen_at
    FROM main.agents
    UNION ALL
    SELECT part.agent_id AS agent_id, nullif(part.agent_name, '') AS agent, seen_at
    FROM (SELECT seen_at, unnest(from_json(engagements, '[{"agent_id": "VARCHAR", "agent_name": "VARCHAR"}]')) AS part FROM chat)
    UNION ALL
    SELECT agent_id, nullif(agent, ''), seen_at
    FROM (
        SELECT seen_at, unnest(from_json(agent_ids, '["VARCHAR"]')) AS agent_id, unnest(from_json(agent_names, '["VARCHAR"]')) AS agent
        FROM chat
        WHERE json_array_length(agent_ids) = json_array_length(agent_names)
    )
)
SELECT agent_id, arg_max(agent, (seen_at, agent)) AS agent
FROM names
WHERE agent_id IS NOT NULL
GROUP BY agent_id;

CREATE OR REPLACE VIEW analytics.agent_names AS
WITH chat AS (
    SELECT coalesce(timestamp, '-infinity') AS seen_at, agent_ids, agent_names, engagements
    FROM (FROM main.chats UNION ALL BY NAME SELECT CAST(NULL AS JSON) AS agent_names WHERE false)
),
names AS (
    SELECT part.agent_id AS agent_id, nullif(part.agent_name, '') AS agent, seen_at
    FROM (SELECT seen_at, unnest(from_json(engagements, '[{"agent_id": "VARCHAR", "agent_name": "VARCHAR"}]')) AS part FROM chat)
    UNION ALL
    SELECT agent_id, nullif(agent, ''), seen_at
    FROM (
        SELECT seen_at, unnest(from_json(agent_ids, '["VARCHAR"]')) AS agent_id, unnest(from_json(agent_names, '["VARCHAR"]')) AS agent
        FROM chat
        WHERE json_array_length(agent_ids) = json_array_length(agent_names)
    )
)
SELECT agent_id, arg_max(agent, (seen_at, agent)) AS agent
FROM names
WHERE agent_id IS NOT NULL
GROUP BY agent_id;

CREATE OR REPLACE VIEW analytics.agent_names AS
SELECT CAST(id AS VARCHAR) AS agent_id, any_value(nullif(display_name, '')) AS agent
FROM main.agents
WHERE id IS NOT NULL
GROUP BY agent_id;

CREATE OR REPLACE VIEW analytics.agent_names AS
SELECT CAST(NULL AS VARCHAR) AS agent_id, CAST(NULL AS VARCHAR) AS agent
WHERE false;

-- Current names of departments; for deleted departments, their last names in chats.
CREATE OR REPLACE VIEW analytics.department_names AS
WITH names AS (
    SELECT CAST(id AS VARCHAR) AS department_id, nullif(name, '') AS department, TIMESTAMPTZ 'infinity' AS seen_at
    FROM main.departments
    UNION ALL
    SELECT CAST(department_id AS VARCHAR), nullif(department_name, ''), coalesce(timestamp, '-infinity')
    FROM main.chats
)
SELECT department_id, arg_max(department, (seen_at, department)) AS department
FROM names
WHERE department_id IS NOT NULL
GROUP BY department_id;

CREATE OR REPLACE VIEW analytics.department_names AS
WITH names AS (
    SELECT CAST(department_id AS VARCHAR) AS department_id, nullif(department_name, '') AS department, coalesce(timestamp, '-infinity') AS seen_at
    FROM main.chats
)
SELECT department_id, arg_max(department, (seen_at, department)) AS department
FROM names
WHERE department_id IS NOT NULL
GROUP BY department_id;

CREATE OR REPLACE VIEW analytics.department_names AS
SELECT CAST(id AS VARCHAR) AS department_id, any_value(nullif(name, '')) AS department
FROM main.departments
WHERE id IS NOT NULL
GROUP BY department_id;

CREATE OR REPLACE VIEW analytics.department_names AS
SELECT CAST(NULL AS VARCHAR) AS department_id, CAST(NULL AS VARCHAR) AS department
WHERE false;

-- One row for each chat and each offline message that is not deleted.
CREATE OR REPLACE VIEW analytics.chat_facts AS
WITH chat AS (
    SELECT *, CAST(department_id AS VARCHAR) AS department_key, analytics.local_time(timestamp) AS started_local
    FROM (
        FROM main.chats
        UNION ALL BY NAME
        SELECT
            CAST(NULL AS VARCHAR) AS department_name,
            CAST(NULL AS VARCHAR) AS comment,
            CAST(NULL AS JSON) AS visitor,
            CAST(NULL AS JSON) AS session,
            CAST(NULL AS JSON) AS tags,
            CAST(NULL AS VARCHAR) AS zendesk_ticket_id
        WHERE false
    )
    WHERE deleted IS NOT TRUE
)
SELECT
    id AS chat_id,
    coalesce(type, 'chat') AS type,
    started_by,
    timestamp AS started_at,
    analytics._end_of(timestamp, end_timestamp, duration) AS ended_at,
    CAST(started_local AS DATE) AS day,
    CAST(
        dayname(started_local)
        AS ENUM ('Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday')
    ) AS weekday,
    hour(started_local) AS hour,
    nullif(visitor ->> '$.id', '') AS visitor_id,
    upper(nullif(session ->> '$.country_code', '')) AS country_code,
    coalesce(nullif(session ->> '$.country_name', ''), upper(nullif(session ->> '$.country_code', '')), '(none)') AS country,
    department_key AS department_id,
    coalesce(names.department, department_key, nullif(department_name, ''), '(none)') AS department,
    CAST(zendesk_ticket_id AS VARCHAR) AS ticket_id,
    list_sort(list_distinct(coalesce(from_json(tags, '["VARCHAR"]'), []))) AS tags,
    coalesce(missed, false) AS is_missed,
    coalesce(dropped, false) AS is_dropped,
    coalesce(abandon_time > 0, false) AS is_abandoned,
    CASE WHEN abandon_time > 0 THEN analytics._plausible(abandon_time) END AS abandon_seconds,
    analytics._plausible(try_cast(response_time ->> '$.first' AS DOUBLE)) AS first_response_seconds,
    analytics._plausible(duration) AS duration_seconds,
    rating,
    nullif(trim(comment), '') AS comment
FROM chat
LEFT JOIN analytics.department_names AS names ON names.department_id = department_key;

-- One row for each engagement of an agent in a chat; old chats without engagements have one for each of their agents.
CREATE OR REPLACE VIEW analytics.engagement_facts AS
WITH chat AS (
    SELECT
        id,
        timestamp,
        end_timestamp,
        CAST(department_id AS VARCHAR) AS department_id,
        duration,
        response_time,
        rating,
        comment,
        from_json(agent_ids, '["VARCHAR"]') AS agent_ids,
        from_json(agent_names, '["VARCHAR"]') AS agent_names,
        from_json(
            engagements,
            '[{"id": "VARCHAR", "agent_id": "VARCHAR", "agent_name": "VARCHAR", "department_id": "VARCHAR", "accepted": "BOOLEAN",
               "timestamp": "VARCHAR", "duration": "DOUBLE", "response_time": {"first": "DOUBLE"}, "rating": "VARCHAR",
               "comment": "VARCHAR"}]'
        ) AS engagements
    FROM (
        FROM main.chats
        UNION ALL BY NAME
        SELECT CAST(NULL AS JSON) AS agent_names, CAST(NULL AS VARCHAR) AS comment WHERE false
    )
    WHERE deleted IS NOT TRUE AND type IS DISTINCT FROM 'offline_msg'
),
recorded AS (
    SELECT id, timestamp, unnest(engagements) AS part
    FROM chat
),
part AS (
    SELECT
        part.id AS engagement_id,
        id AS chat_id,
        timestamp AS chat_started_at,
        part.agent_id AS agent_id,
        part.agent_name AS agent_name,
        part.department_id AS department_id,
        coalesce(part.accepted, true) AS accepted,
        analytics._utc(part.timestamp) AS started_at,
        analytics._seconds_after(analytics._utc(part.timestamp), part.duration) AS ended_at,
        part.duration AS duration,
        part.response_time.first AS first_response_seconds,
        part.rating AS rating,
        part.comment AS comment
    FROM recorded
    WHERE part IS NOT NULL
    UNION ALL
    SELECT
        NULL,
        id,
        timestamp,
        unnest(agent_ids),
        unnest(agent_names[:len(agent_ids)]),
        department_id,
        true,
        timestamp,
        analytics._end_of(timestamp, end_timestamp, duration),
        CASE WHEN len(agent_ids) = 1 THEN duration END,
        CASE WHEN len(agent_ids) = 1 THEN try_cast(response_time ->> '$.first' AS DOUBLE) END,
        CASE WHEN len(agent_ids) = 1 THEN rating END,
        CASE WHEN len(agent_ids) = 1 THEN comment END
    FROM chat
    WHERE coalesce(len(engagements), 0) = 0
)
SELECT
    engagement_id,
    chat_id,
    CAST(analytics.local_time(chat_started_at) AS DATE) AS day,
    agent_id,
    coalesce(agents.agent, agent_id, nullif(agent_name, ''), '(none)') AS agent,
    department_id,
    coalesce(departments.department, department_id, '(none)') AS department,
    accepted,
    started_at,
    ended_at,
    analytics._plausible(first_response_seconds) AS first_response_seconds,
    analytics._plausible(duration) AS duration_seconds,
    rating,
    nullif(trim(comment), '') AS comment
FROM part
LEFT JOIN analytics.agent_names AS agents USING (agent_id)
LEFT JOIN analytics.department_names AS departments USING (department_id);

-- Conversions from the stream conversions and from the chats credited with them. A conversion may occur twice.
CREATE OR REPLACE VIEW analytics.conversion_reports AS
WITH in_chat AS (
    SELECT
        id AS chat_id,
        timestamp AS chat_started_at,
        unnest(from_json(
            conversions,
            '[{"id": "VARCHAR", "timestamp": "VARCHAR", "goal_id": "VARCHAR", "goal_name": "VARCHAR", "attribution": "JSON"}]'
        )) AS conversion
    FROM main.chats
    WHERE deleted IS NOT TRUE AND json_array_length(conversions) > 0
)
SELECT
    conversion.id AS conversion_id,
    analytics._utc(conversion.timestamp) AS converted_at,
    conversion.goal_id AS goal_id,
    conversion.goal_name AS goal_name,
    conversion.attribution AS attribution,
    chat_id,
    chat_started_at
FROM in_chat
WHERE conversion IS NOT NULL
UNION ALL
SELECT
    alone.id,
    alone.timestamp,
    CAST(alone.goal_id AS VARCHAR),
    alone.goal_name,
    alone.attribution,
    alone.attribution ->> '$.chat_id',
    coalesce(chats.timestamp, analytics._utc(alone.attribution ->> '$.chat_timestamp'))
FROM main.conversions AS alone
LEFT JOIN main.chats AS chats ON chats.id = (alone.attribution ->> '$.chat_id')
WHERE chats.deleted IS NOT TRUE;

CREATE OR REPLACE VIEW analytics.conversion_reports AS
WITH in_chat AS (
    SELECT
        id AS chat_id,
        timestamp AS chat_started_at,
        unnest(from_json(
            conversions,
            '[{"id": "VARCHAR", "timestamp": "VARCHAR", "goal_id": "VARCHAR", "goal_name": "VARCHAR", "attribution": "JSON"}]'
        )) AS conversion
    FROM main.chats
    WHERE deleted IS NOT TRUE AND json_array_length(conversions) > 0
)
SELECT
    conversion.id AS conversion_id,
    analytics._utc(conversion.timestamp) AS converted_at,
    conversion.goal_id AS goal_id,
    conversion.goal_name AS goal_name,
    conversion.attribution AS attribution,
    chat_id,
    chat_started_at
FROM in_chat
WHERE conversion IS NOT NULL;

CREATE OR REPLACE VIEW analytics.conversion_reports AS
SELECT
    id AS conversion_id,
    timestamp AS converted_at,
    CAST(goal_id AS VARCHAR) AS goal_id,
    goal_name,
    attribution,
    attribution ->> '$.chat_id' AS chat_id,
    analytics._utc(attribution ->> '$.chat_timestamp') AS chat_started_at
FROM main.conversions;

-- One row for each conversion.
CREATE OR REPLACE VIEW analytics.conversion_facts AS
WITH once AS (
    SELECT
        *,
        attribution ->> '$.agent_id' AS agent_id,
        attribution ->> '$.department_id' AS department_id,
        CASE WHEN goal_id IS NULL THEN nullif(goal_name, '') ELSE arg_max(nullif(goal_name, ''), version) OVER (PARTITION BY goal_id) END AS goal
    FROM (SELECT *, (coalesce(converted_at, '-infinity'), goal_name) AS version FROM analytics.conversion_reports)
    QUALIFY conversion_id IS NULL OR row_number() OVER (
        PARTITION BY conversion_id
        ORDER BY chat_id, attribution ->> '$.chat_id' NULLS FIRST, attribution
    ) = 1
)
SELECT
    conversion_id,
    converted_at,
    CAST(analytics.local_time(converted_at) AS DATE) AS day,
    goal_id,
    coalesce(goal, goal_id, '(none)') AS goal,
    agent_id,
    coalesce(agents.agent, agent_id, nullif(attribution ->> '$.agent_name', ''), '(none)') AS agent,
    department_id,
    coalesce(departments.department, department_id, nullif(attribution ->> '$.department_name', ''), '(none)') AS department,
    chat_id,
    chat_started_at
FROM once
LEFT JOIN analytics.agent_names AS agents USING (agent_id)
LEFT JOIN analytics.department_names AS departments USING (department_id);

-- How many chats and offline messages there were on each day.
CREATE OR REPLACE VIEW analytics.chats_by_day AS
SELECT
    day,
    count(*) FILTER (type = 'chat') AS chats,
    count(*) FILTER (type = 'offline_msg') AS offline_messages,
    count(*) FILTER (type = 'chat' AND started_by = 'visitor') AS started_by_visitor,
    count(*) FILTER (type = 'chat' AND started_by = 'agent') AS started_by_agent,
    count(*) FILTER (type = 'chat' AND started_by = 'trigger') AS started_by_trigger
FROM analytics.chat_facts
GROUP BY day;

-- How many chats and offline messages each department had on each day.
CREATE OR REPLACE VIEW analytics.chats_by_department AS
SELECT
    day,
    department_id,
    department,
    count(*) FILTER (type = 'chat') AS chats,
    count(*) FILTER (type = 'offline_msg') AS offline_messages
FROM analytics.chat_facts
GROUP BY day, department_id, department;

-- How many chats each agent took on each day. A chat with several agents counts for each; one without an agent for (none).
CREATE OR REPLACE VIEW analytics.chats_by_agent AS
SELECT
    chat.day AS day,
    agent_id,
    coalesce(agent, '(none)') AS agent,
    count(DISTINCT chat.chat_id) AS chats,
    count(part.chat_id) AS engagements
FROM analytics.chat_facts AS chat
LEFT JOIN analytics.engagement_facts AS part ON part.chat_id = chat.chat_id AND part.accepted
WHERE type = 'chat'
GROUP BY chat.day, agent_id, coalesce(agent, '(none)');

-- How many chats started in each hour of the week, month by month, to plan how many agents you need.
CREATE OR REPLACE VIEW analytics.chats_by_hour AS
SELECT
    analytics._month_of(day) AS month,
    weekday,
    hour,
    count(*) FILTER (type = 'chat') AS chats,
    count(*) FILTER (type = 'offline_msg') AS offline_messages,
    count(*) FILTER (type = 'chat' AND is_missed) AS missed,
    analytics._share(missed, chats) AS missed_share,
    analytics._one_decimal(quantile_cont(first_response_seconds, 0.5) FILTER (type = 'chat')) AS first_response_seconds_p50
FROM analytics.chat_facts
GROUP BY ALL;

-- How many chats had each tag, and their outcomes, month by month. A chat with several tags counts for each.
CREATE OR REPLACE VIEW analytics.chats_by_tag AS
WITH chat AS (
    SELECT *, analytics._month_of(day) AS month, unnest(CASE WHEN len(tags) > 0 THEN tags ELSE ['(none)'] END) AS tag
    FROM analytics.chat_facts
    WHERE type = 'chat' AND EXISTS (SELECT chats.tags FROM main.chats) -- without this column, there is no view
),
total AS (
    SELECT analytics._month_of(day) AS month, count(*) AS chats
    FROM analytics.chat_facts
    WHERE type = 'chat'
    GROUP BY ALL
)
SELECT
    chat.month AS month,
    tag,
    count(*) AS chats,
    analytics._share(count(*), any_value(total.chats)) AS chats_share,
    count(*) FILTER (is_missed) AS missed,
    analytics._share(missed, count(*)) AS missed_share,
    count(first_response_seconds) AS answered,
    analytics._one_decimal(quantile_cont(first_response_seconds, 0.5)) AS first_response_seconds_p50,
    count(*) FILTER (rating = 'good') AS good,
    count(*) FILTER (rating = 'bad') AS bad,
    analytics._share(good, good + bad) AS good_share
FROM chat
INNER JOIN total ON total.month IS NOT DISTINCT FROM chat.month
GROUP BY chat.month, tag;

-- How many chats came from each country, and their outcomes, month by month.
CREATE OR REPLACE VIEW analytics.chats_by_country AS
SELECT
    analytics._month_of(day) AS month,
    country_code,
    max(country) AS country,
    count(*) AS chats,
    analytics._share(count(*), sum(count(*)) OVER (PARTITION BY analytics._month_of(day))) AS chats_share,
    count(*) FILTER (is_missed) AS missed,
    analytics._share(missed, count(*)) AS missed_share,
    count(first_response_seconds) AS answered,
    analytics._one_decimal(quantile_cont(first_response_seconds, 0.5)) AS first_response_seconds_p50,
    count(*) FILTER (rating = 'good') AS good,
    count(*) FILTER (rating = 'bad') AS bad,
    analytics._share(good, good + bad) AS good_share
FROM analytics.chat_facts
WHERE type = 'chat' AND EXISTS (SELECT chats.session FROM main.chats) -- without this column, there is no view
GROUP BY analytics._month_of(day), country_code, CASE WHEN country_code IS NULL THEN country END;

-- One row for each visitor with a chat.
CREATE OR REPLACE VIEW analytics.visitor_facts AS
SELECT
    visitor_id,
    count(*) AS chats,
    count(*) FILTER (is_missed) AS missed,
    count(*) FILTER (rating = 'good') AS good,
    count(*) FILTER (rating = 'bad') AS bad,
    min(started_at) AS first_chat_at,
    max(started_at) AS last_chat_at
FROM analytics.chat_facts
WHERE type = 'chat' AND visitor_id IS NOT NULL AND EXISTS (SELECT chats.visitor FROM main.chats) -- without this column, there is no view
GROUP BY visitor_id;

-- How many visitors came back in each month, and how many chats were with visitors who had chatted before.
CREATE OR REPLACE VIEW analytics.repeat_visitors AS
WITH chat AS (
    SELECT
        analytics._month_of(day) AS month,
        visitor_id,
        started_at,
        CASE
            WHEN visitor_id IS NOT NULL THEN lag(started_at) OVER (PARTITION BY visitor_id ORDER BY started_at, chat_id)
        END AS previous_at
    FROM analytics.chat_facts
    WHERE type = 'chat' AND EXISTS (SELECT chats.visitor FROM main.chats) -- without this column, there is no view
)
SELECT
    month,
    count(DISTINCT visitor_id) AS visitors,
    count(DISTINCT visitor_id) FILTER (started_at >= previous_at) AS repeat_visitors,
    analytics._share(repeat_visitors, visitors) AS repeat_visitors_share,
    count(*) AS chats,
    count(*) FILTER (started_at >= previous_at) AS repeat_chats,
    analytics._share(repeat_chats, chats) AS repeat_chats_share,
    count(*) FILTER (started_at <= previous_at + INTERVAL 168 HOURS) AS repeat_chats_7_days,
    analytics._share(repeat_chats_7_days, chats) AS repeat_chats_7_days_share
FROM chat
GROUP BY month;

-- How long the chats of each day waited for a first response, and how long they took.
CREATE OR REPLACE VIEW analytics.response_times_by_day AS
SELECT
    day,
    count(*) AS answered,
    analytics._one_decimal(avg(first_response_seconds)) AS first_response_seconds_avg,
    analytics._one_decimal(quantile_cont(first_response_seconds, 0.5)) AS first_response_seconds_p50,
    analytics._one_decimal(quantile_cont(first_response_seconds, 0.9)) AS first_response_seconds_p90,
    analytics._one_decimal(quantile_cont(first_response_seconds, 0.95)) AS first_response_seconds_p95,
    analytics._one_decimal(avg(duration_seconds)) AS duration_seconds_avg,
    analytics._one_decimal(quantile_cont(duration_seconds, 0.5)) AS duration_seconds_p50,
    analytics._one_decimal(quantile_cont(duration_seconds, 0.9)) AS duration_seconds_p90,
    analytics._one_decimal(quantile_cont(duration_seconds, 0.95)) AS duration_seconds_p95
FROM analytics.chat_facts
WHERE type = 'chat' AND first_response_seconds IS NOT NULL
GROUP BY day;

-- How long the chats of each department waited for a first response, and how long they took, month by month.
CREATE OR REPLACE VIEW analytics.response_times_by_department AS
SELECT
    analytics._month_of(day) AS month,
    department_id,
    department,
    count(*) AS answered,
    analytics._one_decimal(avg(first_response_seconds)) AS first_response_seconds_avg,
    analytics._one_decimal(quantile_cont(first_response_seconds, 0.5)) AS first_response_seconds_p50,
    analytics._one_decimal(quantile_cont(first_response_seconds, 0.9)) AS first_response_seconds_p90,
    analytics._one_decimal(quantile_cont(first_response_seconds, 0.95)) AS first_response_seconds_p95,
    analytics._one_decimal(avg(duration_seconds)) AS duration_seconds_avg,
    analytics._one_decimal(quantile_cont(duration_seconds, 0.5)) AS duration_seconds_p50,
    analytics._one_decimal(quantile_cont(duration_seconds, 0.9)) AS duration_seconds_p90,
    analytics._one_decimal(quantile_cont(duration_seconds, 0.95)) AS duration_seconds_p95
FROM analytics.chat_facts
WHERE type = 'chat' AND first_response_seconds IS NOT NULL
GROUP BY ALL;

-- How long each agent took to send the first response, and how long their engagements were, month by month.
CREATE OR REPLACE VIEW analytics.response_times_by_agent AS
SELECT
    analytics._month_of(day) AS month,
    agent_id,
    agent,
    count(DISTINCT chat_id) AS answered,
    analytics._one_decimal(avg(first_response_seconds)) AS first_response_seconds_avg,
    analytics._one_decimal(quantile_cont(first_response_seconds, 0.5)) AS first_response_seconds_p50,
    analytics._one_decimal(quantile_cont(first_response_seconds, 0.9)) AS first_response_seconds_p90,
    analytics._one_decimal(quantile_cont(first_response_seconds, 0.95)) AS first_response_seconds_p95,
    analytics._one_decimal(avg(duration_seconds)) AS duration_seconds_avg,
    analytics._one_decimal(quantile_cont(duration_seconds, 0.5)) AS duration_seconds_p50,
    analytics._one_decimal(quantile_cont(duration_seconds, 0.9)) AS duration_seconds_p90,
    analytics._one_decimal(quantile_cont(duration_seconds, 0.95)) AS duration_seconds_p95
FROM analytics.engagement_facts
WHERE accepted AND first_response_seconds IS NOT NULL
GROUP BY ALL;

-- How many chats of each day no agent answered, and how many visitors gave up.
CREATE OR REPLACE VIEW analytics.missed_by_day AS
SELECT
    day,
    count(*) AS chats,
    count(*) FILTER (is_missed) AS missed,
    count(*) FILTER (is_dropped) AS dropped,
    count(*) FILTER (is_abandoned) AS abandoned,
    analytics._share(missed, chats) AS missed_share,
    analytics._share(dropped, chats) AS dropped_share,
    analytics._share(abandoned, chats) AS abandoned_share,
    analytics._one_decimal(avg(abandon_seconds)) AS abandon_seconds_avg
FROM analytics.chat_facts
WHERE type = 'chat'
GROUP BY day;

-- How many chats of each department and day no agent answered, and how many visitors gave up.
CREATE OR REPLACE VIEW analytics.missed_by_department AS
SELECT
    day,
    department_id,
    department,
    count(*) AS chats,
    count(*) FILTER (is_missed) AS missed,
    count(*) FILTER (is_dropped) AS dropped,
    count(*) FILTER (is_abandoned) AS abandoned,
    analytics._share(missed, chats) AS missed_share,
    analytics._share(dropped, chats) AS dropped_share,
    analytics._share(abandoned, chats) AS abandoned_share,
    analytics._one_decimal(avg(abandon_seconds)) AS abandon_seconds_avg
FROM analytics.chat_facts
WHERE type = 'chat'
GROUP BY day, department_id, department;

-- How visitors rated the chats of each day. Days without ratings and comments have no row.
CREATE OR REPLACE VIEW analytics.satisfaction_by_day AS
SELECT
    day,
    count(*) FILTER (rating = 'good') AS good,
    count(*) FILTER (rating = 'bad') AS bad,
    analytics._share(good, good + bad) AS good_share,
    count(comment) AS comments
FROM analytics.chat_facts
WHERE type = 'chat' AND (rating IN ('good', 'bad') OR comment IS NOT NULL)
GROUP BY day;

-- How visitors rated the chats of each department and day.
CREATE OR REPLACE VIEW analytics.satisfaction_by_department AS
SELECT
    day,
    department_id,
    department,
    count(*) FILTER (rating = 'good') AS good,
    count(*) FILTER (rating = 'bad') AS bad,
    analytics._share(good, good + bad) AS good_share,
    count(comment) AS comments
FROM analytics.chat_facts
WHERE type = 'chat' AND (rating IN ('good', 'bad') OR comment IS NOT NULL)
GROUP BY day, department_id, department;

-- How visitors rated each agent's engagements on each day.
CREATE OR REPLACE VIEW analytics.satisfaction_by_agent AS
SELECT
    day,
    agent_id,
    agent,
    count(*) FILTER (rating = 'good') AS good,
    count(*) FILTER (rating = 'bad') AS bad,
    analytics._share(good, good + bad) AS good_share,
    count(comment) AS comments
FROM analytics.engagement_facts
WHERE accepted AND (rating IN ('good', 'bad') OR comment IS NOT NULL)
GROUP BY day, agent_id, agent;

-- How many chats were concurrent in each hour. Hours without a chat have no row.
CREATE OR REPLACE VIEW analytics.concurrent_chats AS
WITH span AS (
    SELECT epoch_us(started_at) AS opened, epoch_us(ended_at) AS closed
    FROM analytics.chat_facts
    WHERE ended_at > started_at AND type = 'chat'
),
piece AS (
    SELECT slot, greatest(opened, slot * 3_600_000_000) AS opened, least(closed, (slot + 1) * 3_600_000_000) AS closed
    FROM (SELECT opened, closed, unnest(range(analytics._hours_since_1970(opened), analytics._hours_since_1970(closed - 1) + 1)) AS slot FROM span)
),
step AS (
    SELECT slot, opened AS changed_at, 1 AS change, closed - opened AS length FROM piece
    UNION ALL
    SELECT slot, closed, -1, 0 FROM piece
),
running AS (
    SELECT slot, length, sum(change) OVER (PARTITION BY slot ORDER BY changed_at, change) AS open
    FROM step
)
SELECT
    analytics.local_time(to_timestamp(slot * 3600)) AS hour_start,
    CAST(max(open) AS BIGINT) AS peak,
    CAST(sum(length) / 3_600_000_000 AS DOUBLE) AS average
FROM running
GROUP BY slot;

-- How many concurrent chats each agent had in each hour. Hours without a chat have no row.
CREATE OR REPLACE VIEW analytics.concurrent_chats_by_agent AS
WITH span AS (
    SELECT agent_id, agent, epoch_us(started_at) AS opened, epoch_us(ended_at) AS closed
    FROM analytics.engagement_facts
    WHERE ended_at > started_at AND accepted AND agent_id IS NOT NULL
),
piece AS (
    SELECT
        agent_id,
        agent,
        slot,
        greatest(opened, slot * 3_600_000_000) AS opened,
        least(closed, (slot + 1) * 3_600_000_000) AS closed
    FROM (SELECT *, unnest(range(analytics._hours_since_1970(opened), analytics._hours_since_1970(closed - 1) + 1)) AS slot FROM span)
),
step AS (
    SELECT agent_id, agent, slot, opened AS changed_at, 1 AS change, closed - opened AS length FROM piece
    UNION ALL
    SELECT agent_id, agent, slot, closed, -1, 0 FROM piece
),
running AS (
    SELECT agent_id, agent, slot, length, sum(change) OVER (PARTITION BY agent_id, slot ORDER BY changed_at, change) AS open
    FROM step
)
SELECT
    analytics.local_time(to_timestamp(slot * 3600)) AS hour_start,
    agent_id,
    any_value(agent) AS agent,
    CAST(max(open) AS BIGINT) AS peak,
    CAST(sum(length) / 3_600_000_000 AS DOUBLE) AS average
FROM running
GROUP BY slot, agent_id;

-- Time spans of agents: in a status, and in chats. They may overlap.
CREATE OR REPLACE VIEW analytics.agent_spans AS
SELECT
    CAST(agent_id AS VARCHAR) AS agent_id,
    coalesce(status, '(none)') AS activity,
    start_time AS started_at,
    analytics._seconds_after(start_time, duration) AS ended_at
FROM main.agent_timeline
WHERE agent_id IS NOT NULL
UNION ALL
SELECT agent_id, 'chatting', started_at, ended_at
FROM analytics.engagement_facts
WHERE accepted AND agent_id IS NOT NULL;

CREATE OR REPLACE VIEW analytics.agent_spans AS
SELECT
    CAST(agent_id AS VARCHAR) AS agent_id,
    coalesce(status, '(none)') AS activity,
    start_time AS started_at,
    analytics._seconds_after(start_time, duration) AS ended_at
FROM main.agent_timeline
WHERE agent_id IS NOT NULL;

-- How long each agent was in each status on each day, and how long chatting. These overlap, so do not add them up.
CREATE OR REPLACE VIEW analytics.agent_time AS
WITH ordered AS (
    SELECT
        *,
        max(ended_at) OVER (
            PARTITION BY agent_id, activity
            ORDER BY started_at, ended_at
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS counted_until
    FROM analytics.agent_spans
    WHERE ended_at > started_at
),
once AS (
    SELECT agent_id, activity, greatest(started_at, counted_until) AS opened, ended_at AS closed
    FROM ordered
    WHERE counted_until IS NULL OR ended_at > counted_until
),
daily AS (
    SELECT
        agent_id,
        activity,
        opened,
        closed,
        unnest(generate_series(
            date_trunc('day', analytics.local_time(opened)),
            analytics.local_time(closed - INTERVAL 1 MICROSECOND),
            INTERVAL 1 DAY
        )) AS midnight
    FROM once
)
SELECT
    CAST(midnight AS DATE) AS day,
    agent_id,
    coalesce(agent, agent_id) AS agent,
    activity,
    sum(
        epoch_us(least(closed, analytics._midnight(midnight + INTERVAL 1 DAY)))
        - epoch_us(greatest(opened, analytics._midnight(midnight)))
    ) / 3_600_000_000 AS hours
FROM daily
LEFT JOIN analytics.agent_names USING (agent_id)
GROUP BY ALL;

-- How long each agent was online, away, invisible and in chats on each day.
CREATE OR REPLACE VIEW analytics.agent_hours AS
SELECT
    day,
    agent_id,
    agent,
    coalesce(sum(hours) FILTER (activity = 'online'), 0) AS online_hours,
    coalesce(sum(hours) FILTER (activity = 'away'), 0) AS away_hours,
    coalesce(sum(hours) FILTER (activity = 'invisible'), 0) AS invisible_hours,
    coalesce(sum(hours) FILTER (activity = 'chatting'), 0) AS chatting_hours,
    analytics._share(chatting_hours, online_hours) AS utilisation
FROM analytics.agent_time
GROUP BY day, agent_id, agent;

-- How many of the chats that an agent took in a month led to a conversion credited to the agent, then or later.
CREATE OR REPLACE VIEW analytics.conversions_by_agent AS
WITH credited AS (
    SELECT day, agent_id, agent, chat_id, NULL AS conversion_id, NULL AS converted_chat
    FROM analytics.engagement_facts
    WHERE accepted AND agent_id IS NOT NULL
    UNION ALL
    SELECT CAST(analytics.local_time(chat_started_at) AS DATE), agent_id, agent, NULL, coalesce(conversion_id, ''), chat_id
    FROM analytics.conversion_facts
)
SELECT
    analytics._month_of(day) AS month,
    agent_id,
    agent,
    count(DISTINCT chat_id) AS chats,
    count(conversion_id) AS conversions,
    count(DISTINCT converted_chat) AS converted_chats,
    analytics._share(converted_chats, chats) AS conversion_share
FROM credited
GROUP BY ALL;

-- How many visitors reached each goal on each day.
CREATE OR REPLACE VIEW analytics.conversions_by_goal AS
SELECT day, goal_id, goal, count(*) AS conversions, count(DISTINCT chat_id) AS converted_chats
FROM analytics.conversion_facts
GROUP BY day, goal_id, goal;

-- One row for each message and file of a chat, and for each offline message.
CREATE OR REPLACE VIEW analytics.transcript AS
WITH item AS (
    SELECT
        id,
        visitor ->> '$.name' AS visitor_name,
        from_json(agent_names, '["VARCHAR"]') AS agent_names,
        generate_subscripts(items, 1) - 1 AS position,
        unnest(items) AS item
    FROM (
        SELECT
            id,
            visitor,
            agent_names,
            from_json(
                history,
                '[{"type": "VARCHAR", "timestamp": "VARCHAR", "name": "VARCHAR", "msg": "VARCHAR", "sender_type": "VARCHAR",
                   "nick": "VARCHAR", "agent_id": "VARCHAR", "attachment": {"name": "VARCHAR"}}]'
            ) AS items
        FROM (
            FROM main.chats
            UNION ALL BY NAME
            SELECT CAST(NULL AS JSON) AS agent_names, CAST(NULL AS JSON) AS visitor WHERE false
        )
        WHERE deleted IS NOT TRUE
    )
)
SELECT
    id AS chat_id,
    position,
    analytics._utc(item.timestamp) AS sent_at,
    CASE
        WHEN item.sender_type IS NOT NULL THEN lower(item.sender_type)
        WHEN item.agent_id IS NOT NULL OR item.nick LIKE 'agent%' THEN 'agent'
        WHEN item.nick LIKE 'trigger%' THEN 'trigger'
        WHEN item.nick LIKE 'visitor%' OR item.name = visitor_name THEN 'visitor'
        WHEN list_contains(agent_names, item.name) THEN 'agent'
        ELSE 'other'
    END AS sender,
    item.name AS name,
    item.type AS type,
    coalesce(item.msg, item.attachment.name) AS message
FROM item
WHERE item.type IN ('chat.msg', 'chat.file')
UNION ALL
SELECT id, 0, timestamp, 'visitor', visitor ->> '$.name', type, message
FROM (
    FROM main.chats
    UNION ALL BY NAME
    SELECT CAST(NULL AS JSON) AS visitor, CAST(NULL AS VARCHAR) AS message WHERE false
)
WHERE deleted IS NOT TRUE AND type = 'offline_msg' AND message IS NOT NULL;

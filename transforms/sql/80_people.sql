-- The ladder: from everybody on the records down to those who lost mail.
-- In:  customer_records; deliveries; windows (0 is the incident's), thresholds, segments, settings
-- Out: ladder, one row per rung, unit, choice of messages and segment; people, the rungs that shares are taken of
--
-- Rungs: provisioned (on the records on any day of the window) > active (of these, had mail at any time of the log) >
-- exposed (mail arrived in the window) > late at each threshold > of these, late in working hours > lost. Late, lost
-- and exposed mean the same as in the grid. A wait is in working hours when it began in them or went on into them.

-- Office hours as offices keep them, in the incident's time zone; public holidays are not known here.
CREATE OR REPLACE TABLE working_hours AS
SELECT 5 AS last_weekday, TIME '08:00' AS opens, TIME '18:00' AS closes;  -- Monday is 1, Friday is 5

-- The first working moment at or after a local time.
CREATE OR REPLACE MACRO works_from(moment_local, last_weekday, opens, closes) AS CASE
    WHEN isodow(moment_local) <= last_weekday AND moment_local::TIME < closes THEN greatest(moment_local, moment_local::DATE + opens)
    WHEN isodow(moment_local) < last_weekday THEN moment_local::DATE + 1 + opens
    ELSE moment_local::DATE + (8 - isodow(moment_local))::INTEGER + opens
END;

CREATE OR REPLACE TABLE mail_of_people AS  -- one row per person of the records and kind of message, over the whole log
WITH
placed AS (
    SELECT
        segment, mailbox, account_id, customer_id, is_bulk, outcome, delay_seconds,
        arrived_at >= windows.start_at AND arrived_at < windows.end_at AS is_inside,
        is_inside AND outcome IN ('delivered', 'pending') AND delay_seconds >= least.threshold_seconds AS may_be_late,
        CASE WHEN may_be_late THEN arrived_at AT TIME ZONE settings.timezone END AS began_local,
        CASE WHEN may_be_late THEN coalesce(ended_at, settings.as_of) AT TIME ZONE settings.timezone END AS ended_local
    FROM deliveries
    JOIN windows ON windows.window_number = 0
    CROSS JOIN settings
    CROSS JOIN (SELECT min(threshold_seconds) AS threshold_seconds FROM thresholds) AS least
    WHERE mailbox IS NOT NULL
),
worked AS (
    SELECT placed.*, works_from(began_local, last_weekday, opens, closes) AS works_local
    FROM placed CROSS JOIN working_hours
)
SELECT
    segment, mailbox, account_id, customer_id, is_bulk,
    bool_or(is_inside) AS is_exposed,
    max(delay_seconds) FILTER (may_be_late) AS longest_seconds,
    max(delay_seconds) FILTER (works_local = began_local OR works_local < ended_local) AS longest_in_working_hours_seconds,
    bool_or(is_inside AND outcome = 'lost') AS is_lost
FROM worked
GROUP BY ALL;

CREATE OR REPLACE TABLE ladder AS
WITH
choices (messages) AS (VALUES ('all'), ('excluding_bulk')),
days AS (
    SELECT
        (windows.start_at AT TIME ZONE settings.timezone)::DATE AS first_day,
        ((windows.end_at - INTERVAL 1 MICROSECOND) AT TIME ZONE settings.timezone)::DATE AS last_day
    FROM windows CROSS JOIN settings
    WHERE windows.window_number = 0
),
provisioned AS (
    SELECT DISTINCT unit, entity, unnest([segment, 'all']) AS segment
    FROM (
        SELECT segment, unnest(['mailbox', 'account', 'customer']) AS unit, unnest([mailbox, account_id, customer_id]) AS entity
        FROM customer_records CROSS JOIN days
        WHERE coalesce(valid_from, DATE '0001-01-01') <= last_day AND coalesce(valid_to, DATE '9999-12-31') >= first_day
    )
    WHERE entity IS NOT NULL
),
reached_by_segment AS (
    SELECT
        unit, entity, segment, choices.messages,
        bool_or(is_exposed) AS is_exposed,
        max(longest_seconds) AS longest_seconds,
        max(longest_in_working_hours_seconds) AS longest_in_working_hours_seconds,
        bool_or(is_lost) AS is_lost
    FROM (
        SELECT *, unnest(['mailbox', 'account', 'customer']) AS unit, unnest([mailbox, account_id, customer_id]) AS entity
        FROM mail_of_people
    )
    JOIN choices ON choices.messages = 'all' OR NOT is_bulk
    GROUP BY unit, entity, segment, choices.messages
),
reached AS (  -- a person with mail in both segments stands in each, and once in all
    SELECT * FROM reached_by_segment
    UNION ALL
    SELECT
        unit, entity, 'all' AS segment, messages,
        bool_or(is_exposed) AS is_exposed,
        max(longest_seconds) AS longest_seconds,
        max(longest_in_working_hours_seconds) AS longest_in_working_hours_seconds,
        bool_or(is_lost) AS is_lost
    FROM reached_by_segment
    GROUP BY unit, entity, messages
),
had_mail AS (SELECT unit, entity, messages FROM reached WHERE segment = 'all'),
found AS (
    SELECT 'provisioned' AS rung, NULL AS threshold_seconds, unit, messages, segment, count(*) AS measured
    FROM provisioned CROSS JOIN choices
    GROUP BY ALL
    UNION ALL
    SELECT 'active', NULL, unit, messages, segment, count(*) FROM provisioned JOIN had_mail USING (unit, entity) GROUP BY ALL
    UNION ALL
    SELECT 'exposed', NULL, unit, messages, segment, count(*) FROM reached WHERE is_exposed GROUP BY ALL
    UNION ALL
    SELECT 'late', threshold_seconds, unit, messages, segment, count(*)
    FROM reached JOIN thresholds ON longest_seconds >= threshold_seconds
    GROUP BY ALL
    UNION ALL
    SELECT 'late_in_working_hours', threshold_seconds, unit, messages, segment, count(*)
    FROM reached JOIN thresholds ON longest_in_working_hours_seconds >= threshold_seconds
    GROUP BY ALL
    UNION ALL
    SELECT 'lost', NULL, unit, messages, segment, count(*) FROM reached WHERE is_lost GROUP BY ALL
),
rungs AS (
    SELECT place, rung, NULL AS threshold_seconds
    FROM (VALUES (1, 'provisioned'), (2, 'active'), (3, 'exposed'), (6, 'lost')) AS whole (place, rung)
    UNION ALL
    SELECT place, rung, threshold_seconds
    FROM (VALUES (4, 'late'), (5, 'late_in_working_hours')) AS timed (place, rung) CROSS JOIN thresholds
)
SELECT
    row_number() OVER (PARTITION BY units.unit, choices.messages, parts.segment ORDER BY rungs.place, rungs.threshold_seconds) AS step,
    rungs.rung,
    rungs.threshold_seconds,
    units.unit,
    choices.messages,
    parts.segment,
    coalesce(found.measured, 0) AS measured
FROM rungs
CROSS JOIN (VALUES ('mailbox'), ('account'), ('customer')) AS units (unit)
CROSS JOIN choices
CROSS JOIN (SELECT 'all' AS segment UNION ALL SELECT segment FROM segments) AS parts
LEFT JOIN found
    ON found.rung = rungs.rung
    AND found.threshold_seconds IS NOT DISTINCT FROM rungs.threshold_seconds
    AND found.unit = units.unit
    AND found.messages = choices.messages
    AND found.segment = parts.segment
ORDER BY ALL;

CREATE OR REPLACE TABLE people AS
SELECT
    rung,
    segment,
    max(measured) FILTER (unit = 'mailbox') AS mailbox,
    max(measured) FILTER (unit = 'account') AS account,
    max(measured) FILTER (unit = 'customer') AS customer
FROM ladder
WHERE messages = 'all' AND rung IN ('provisioned', 'exposed')
GROUP BY ALL
ORDER BY ALL;

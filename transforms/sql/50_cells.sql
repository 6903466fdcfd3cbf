-- The full grid: unit x threshold x messages x count x segment.
-- In:  deliveries; windows (0 is the incident's, the others are ordinary ones); thresholds (step, threshold_seconds);
--      segments (those of the records)
-- Out: cells
--
-- Rules: late at D is a delay >= D, delivered or pending. `measured` is what the logs show, `lower` what they prove.
-- `upper` adds what might be: units with mail that is still open, and recipients that no record knows, each of which
-- may be one more mailbox, account and customer of any segment. A unit with mail in both segments counts in each and
-- once in `all`. The baseline is the mean of `measured` over the ordinary windows.

-- A delivery's step is the number of thresholds that its delay reaches: one small integer stands for the whole grid.
CREATE OR REPLACE TABLE touches AS
SELECT
    windows.window_number,
    deliveries.message_key,
    deliveries.is_bulk,
    deliveries.sender IS NULL AS is_sender_unknown,
    deliveries.segment,
    deliveries.address,
    deliveries.mailbox,
    deliveries.account_id,
    deliveries.customer_id,
    deliveries.mailbox_or_address IS NULL AS is_nameless,
    CASE WHEN outcome IN ('delivered', 'pending') THEN coalesce(by_delay.step, 0) ELSE 0 END AS late_step,
    CASE WHEN outcome IN ('delivered', 'pending') THEN coalesce(by_proof.step, 0) ELSE 0 END AS proven_step,
    outcome = 'lost' AS is_lost,
    outcome IN ('pending', 'unresolved') AS is_open
FROM deliveries
JOIN windows ON deliveries.arrived_at >= windows.start_at AND deliveries.arrived_at < windows.end_at
LEFT JOIN brackets AS by_delay ON deliveries.delay_seconds >= by_delay.at_least AND deliveries.delay_seconds < by_delay.below
LEFT JOIN brackets AS by_proof ON deliveries.proven_delay_seconds >= by_proof.at_least AND deliveries.proven_delay_seconds < by_proof.below;

-- One row per unit's entity, segment and kind of message; the delivery's own rows are only counted.
CREATE OR REPLACE TABLE reach AS
WITH
base AS (  -- small: mail of the same people rolled up before anything is counted apart
    SELECT
        window_number, is_bulk, segment, address, mailbox, account_id, customer_id,
        max(late_step) AS late_step, max(proven_step) AS proven_step, bool_or(is_lost) AS is_lost, bool_or(is_open) AS is_open,
        max(proven_step) FILTER (NOT is_sender_unknown) AS proven_step_known,
        bool_or(is_lost) FILTER (NOT is_sender_unknown) AS is_lost_known
    FROM touches
    WHERE NOT is_nameless
    GROUP BY ALL
),
entities AS (
    SELECT 'address' AS unit, address AS entity, * EXCLUDE (address, mailbox, account_id, customer_id) FROM base
    UNION ALL
    SELECT 'mailbox', mailbox, * EXCLUDE (address, mailbox, account_id, customer_id) FROM base WHERE mailbox IS NOT NULL
    UNION ALL
    SELECT 'account', account_id, * EXCLUDE (address, mailbox, account_id, customer_id) FROM base WHERE mailbox IS NOT NULL
    UNION ALL
    SELECT 'customer', customer_id, * EXCLUDE (address, mailbox, account_id, customer_id) FROM base WHERE mailbox IS NOT NULL
    UNION ALL
    SELECT
        'message', message_key, window_number, is_bulk, segment, late_step, proven_step, is_lost, is_open,
        CASE WHEN NOT is_sender_unknown THEN proven_step END,
        CASE WHEN NOT is_sender_unknown THEN is_lost END
    FROM touches
),
chosen AS (
    SELECT 'all' AS messages, unit, entity, window_number, segment, late_step, proven_step, is_lost, is_lost AS is_lost_proven, is_open FROM entities
    UNION ALL
    SELECT
        'excluding_bulk', unit, entity, window_number, segment, late_step, coalesce(proven_step_known, 0), is_lost,
        coalesce(is_lost_known, false), is_open
    FROM entities
    WHERE NOT is_bulk
),
by_segment AS (
    SELECT
        messages, unit, window_number, segment, entity,
        max(late_step) AS late_step, max(proven_step) AS proven_step, bool_or(is_lost) AS is_lost, bool_or(is_lost_proven) AS is_lost_proven,
        bool_or(is_open) AS is_open
    FROM chosen
    GROUP BY ALL
),
in_all AS (
    SELECT
        messages, unit, window_number, 'all' AS segment, entity,
        max(late_step) AS late_step, max(proven_step) AS proven_step, bool_or(is_lost) AS is_lost, bool_or(is_lost_proven) AS is_lost_proven,
        bool_or(is_open) AS is_open
    FROM by_segment
    GROUP BY ALL
)
SELECT messages, unit, window_number, segment, late_step, proven_step, is_lost, is_lost_proven, is_open, count(*) AS entities
FROM (
    SELECT * EXCLUDE (entity) FROM by_segment
    UNION ALL BY NAME
    SELECT * EXCLUDE (entity) FROM in_all
)
GROUP BY ALL
UNION ALL BY NAME
SELECT
    choice.messages,
    'delivery' AS unit,
    window_number,
    part.segment,
    late_step,
    CASE WHEN choice.messages = 'excluding_bulk' AND is_sender_unknown THEN 0 ELSE proven_step END AS proven_step,
    is_lost,
    is_lost AND NOT (choice.messages = 'excluding_bulk' AND is_sender_unknown) AS is_lost_proven,
    is_open,
    sum(deliveries)::BIGINT AS entities
FROM (
    SELECT window_number, is_bulk, is_sender_unknown, segment, late_step, proven_step, is_lost, is_open, count(*) AS deliveries
    FROM touches
    GROUP BY ALL
) AS counted
JOIN (VALUES ('all'), ('excluding_bulk')) AS choice (messages) ON choice.messages = 'all' OR NOT is_bulk
CROSS JOIN LATERAL (SELECT unnest([counted.segment, 'all']) AS segment) AS part
GROUP BY ALL;

CREATE OR REPLACE TABLE cells AS
WITH
units (unit, is_of_the_records) AS (
    VALUES ('delivery', false), ('message', false), ('address', false), ('mailbox', true), ('account', true), ('customer', true)
),
grid AS (
    SELECT unit, is_of_the_records, thresholds.step, thresholds.threshold_seconds, messages, "count", segment, window_number
    FROM units
    CROSS JOIN thresholds
    CROSS JOIN (VALUES ('all'), ('excluding_bulk')) AS choice (messages)
    CROSS JOIN (VALUES ('late'), ('late_or_lost')) AS outcome ("count")
    CROSS JOIN (SELECT 'all' AS segment UNION ALL SELECT segment FROM segments UNION ALL SELECT 'unmatched') AS part
    CROSS JOIN (SELECT window_number FROM windows) AS spans
    WHERE NOT (is_of_the_records AND segment = 'unmatched')
),
counted AS (  -- every cell's own entities
    SELECT
        unit, is_of_the_records, step, threshold_seconds, messages, "count", segment, window_number,
        coalesce(sum(entities) FILTER (late_step >= step OR ("count" = 'late_or_lost' AND is_lost)), 0)::BIGINT AS measured,
        coalesce(sum(entities) FILTER (proven_step >= step OR ("count" = 'late_or_lost' AND is_lost_proven)), 0)::BIGINT AS lower,
        coalesce(sum(entities) FILTER (late_step >= step OR ("count" = 'late_or_lost' AND is_lost) OR is_open), 0)::BIGINT AS possible
    FROM grid
    LEFT JOIN reach USING (unit, messages, segment, window_number)
    GROUP BY unit, is_of_the_records, step, threshold_seconds, messages, "count", segment, window_number
),
nameless AS (  -- recipients that the log counts and never names
    SELECT
        messages, "count", step, window_number,
        coalesce(sum(entities) FILTER (is_open OR ("count" = 'late_or_lost' AND is_lost)), 0)::BIGINT AS recipients
    FROM (SELECT DISTINCT messages, "count", step, window_number FROM grid)
    LEFT JOIN (SELECT * FROM reach WHERE unit = 'delivery' AND segment IS NULL) USING (messages, window_number)
    GROUP BY messages, "count", step, window_number
),
strangers AS (  -- recipients in a local domain that no record knows
    SELECT unit, messages, "count", step, window_number, possible
    FROM counted
    WHERE segment = 'unmatched'
),
bounded AS (
    SELECT
        counted.*,
        counted.possible
        + CASE WHEN is_of_the_records OR counted.segment NOT IN ('all', 'unmatched') THEN strangers_of_unit.possible ELSE 0 END
        + CASE WHEN counted.segment = 'all' AND counted.unit IN ('delivery', 'message') THEN 0 ELSE nameless.recipients END AS upper
    FROM counted
    JOIN nameless USING (messages, "count", step, window_number)
    JOIN strangers AS strangers_of_unit
        ON strangers_of_unit.unit = CASE WHEN is_of_the_records THEN 'address' ELSE counted.unit END
        AND strangers_of_unit.messages = counted.messages
        AND strangers_of_unit."count" = counted."count"
        AND strangers_of_unit.step = counted.step
        AND strangers_of_unit.window_number = counted.window_number
)
SELECT
    unit,
    threshold_seconds,
    messages,
    "count",
    segment,
    max(measured) FILTER (window_number = 0) AS measured,
    max(lower) FILTER (window_number = 0) AS lower,
    max(upper) FILTER (window_number = 0) AS upper,
    avg(measured) FILTER (window_number > 0) AS baseline
FROM bounded
GROUP BY unit, threshold_seconds, messages, "count", segment
ORDER BY
    list_position(['delivery', 'message', 'address', 'mailbox', 'account', 'customer'], unit),
    threshold_seconds, messages, "count", segment = 'unmatched', segment <> 'all', segment;

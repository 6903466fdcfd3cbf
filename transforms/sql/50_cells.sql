-- The grid as the logs show it: unit x threshold x messages x count x segment.
-- In:  deliveries; windows (0 is the incident's, the others are ordinary ones); thresholds (step, threshold_seconds);
--      segments (those of the records); torn_log
-- Out: touches, reach; counted, one row per cell: measured and baseline, what is proven, and what mail that is seen may add
--
-- Rules: late at D is a delay >= D, delivered or pending. `measured` is what the logs show. A unit with mail in both
-- segments counts in each and once in `all`. The baseline is the mean of `measured` over the ordinary windows.
--
-- Where the log has lost lines, three things can be proven of late mail: its end was logged (`closed_step`); it still
-- waited at its last line, whatever came then (`seen_step`); it waits until as of, unless its end was lost
-- (`open_step`). Mail whose arrival is in doubt proves nothing, and may have waited longer (`doubt_step`).

CREATE OR REPLACE MACRO step_of(seconds) AS
    len(list_filter(list_distinct(getvariable('thresholds_seconds')::BIGINT[]), lambda threshold: seconds >= threshold));

-- A delivery's step is the number of thresholds that its delay reaches: one small integer stands for the whole grid.
CREATE OR REPLACE TABLE touches AS
SELECT
    windows.window_number,
    deliveries.message_key,
    deliveries.is_bulk,
    deliveries.sender IS NULL OR is_torn AND coalesce(arrival_doubt = 'mixed', false) AS is_sender_unknown,
    deliveries.segment,
    deliveries.address,
    deliveries.mailbox,
    deliveries.account_id,
    deliveries.customer_id,
    deliveries.mailbox_or_address IS NULL AS is_nameless,
    is_torn AND coalesce(is_address_doubted, false) AS is_address_doubted,
    CASE WHEN outcome IN ('delivered', 'pending') THEN coalesce(by_delay.step, 0) ELSE 0 END::UTINYINT AS late_step,
    outcome = 'lost' AS is_lost,
    NOT is_torn OR arrival_doubt IS NULL OR (
        arrival_doubt = 'derived' AND arrived_at >= windows.start_at + INTERVAL 1 SECOND AND arrived_at < windows.end_at - INTERVAL 1 SECOND
    ) AS is_dated,
    CASE WHEN outcome = 'delivered' AND is_dated THEN late_step ELSE 0 END AS closed_step,
    CASE
        WHEN outcome = 'pending' AND is_dated
            THEN step_of(CASE WHEN is_torn THEN coalesce(seen_delay_seconds, delay_seconds) ELSE proven_delay_seconds END)
        ELSE closed_step
    END::UTINYINT AS seen_step,
    CASE
        WHEN outcome = 'pending' AND is_dated AND NOT coalesce(is_end_doubted, false)
            AND NOT coalesce(arrived_at + to_microseconds((seen_delay_seconds * 1000000)::BIGINT) <= last_gap_at, false) THEN late_step
        ELSE closed_step
    END AS open_step,
    is_lost AND is_dated AND NOT (is_torn AND coalesce(is_loss_inferred, false)) AS is_lost_proven,
    outcome = 'pending' AS is_pending,
    outcome = 'unresolved' AS is_unresolved,
    CASE  -- an end that is not logged was no later than the queue file's
        WHEN outcome = 'unresolved' AND longest_delay_seconds IS NOT NULL AND coalesce(arrival_doubt NOT IN ('undated', 'mixed'), true)
            THEN step_of(longest_delay_seconds)
        WHEN outcome = 'unresolved' THEN 255
        WHEN is_lost AND is_torn AND coalesce(is_loss_inferred, false) THEN coalesce(by_delay.step, 0)
        ELSE 0
    END::UTINYINT AS unresolved_step,
    CASE
        WHEN NOT is_torn OR arrival_doubt IS NULL OR outcome NOT IN ('delivered', 'lost') THEN 0
        WHEN arrival_doubt IN ('undated', 'mixed') THEN 255
        WHEN arrival_doubt = 'later'
            AND len(list_filter(torn_log.gaps, lambda g: arrived_at BETWEEN g.start_at AND g.end_at + INTERVAL 1 MINUTE)) > 0 THEN 255
        WHEN outcome = 'delivered' THEN step_of(delay_seconds + 1)
        ELSE 0
    END::UTINYINT AS doubt_step
FROM deliveries
JOIN windows ON deliveries.arrived_at >= windows.start_at AND deliveries.arrived_at < windows.end_at
LEFT JOIN brackets AS by_delay ON deliveries.delay_seconds >= by_delay.at_least AND deliveries.delay_seconds < by_delay.below
CROSS JOIN torn_log
UNION ALL BY NAME
-- Mail that the log shows elsewhere and that may have arrived in the incident's window, or in another queue file than shown.
SELECT
    0 AS window_number,
    CASE WHEN arrival_doubt = 'mixed' THEN deliveries.message_key || ' and another' ELSE deliveries.message_key END AS message_key,
    false AS is_bulk,
    true AS is_sender_unknown,
    deliveries.segment,
    deliveries.address,
    deliveries.mailbox,
    deliveries.account_id,
    deliveries.customer_id,
    deliveries.mailbox_or_address IS NULL AS is_nameless,
    true AS is_address_doubted,
    0 AS late_step, false AS is_lost, false AS is_dated, 0 AS closed_step, 0 AS seen_step, 0 AS open_step,
    false AS is_lost_proven, false AS is_pending, false AS is_unresolved, 0 AS unresolved_step, 255 AS doubt_step
FROM deliveries
JOIN torn_log ON is_torn
JOIN windows ON window_number = 0
WHERE outcome <> 'rejected_recipient' AND CASE arrival_doubt
    WHEN 'mixed' THEN coalesce(ended_at, start_at) >= start_at AND arrived_at < end_at + INTERVAL 5 DAY
    WHEN 'undated' THEN arrived_at >= end_at AND arrived_at < end_at + INTERVAL 5 DAY
    WHEN 'derived' THEN arrived_at BETWEEN start_at - INTERVAL 1 SECOND AND start_at OR arrived_at BETWEEN end_at AND end_at + INTERVAL 1 SECOND
END;

-- One row per unit's entity, segment and kind of message; the delivery's own rows are only counted.
CREATE OR REPLACE TABLE reach AS
WITH
base AS (  -- small: mail of the same people rolled up before anything is counted apart
    SELECT
        window_number, is_bulk, is_sender_unknown, is_address_doubted, segment, address, mailbox, account_id, customer_id,
        max(late_step) AS late_step, bool_or(is_lost) AS is_lost,
        max(closed_step) AS closed_step, max(seen_step) AS seen_step, max(open_step) AS open_step, bool_or(is_lost_proven) AS is_lost_proven,
        bool_or(is_pending) AS is_pending, bool_or(is_unresolved) AS is_unresolved,
        max(unresolved_step) AS unresolved_step, max(doubt_step) AS doubt_step
    FROM touches
    WHERE NOT is_nameless
    GROUP BY ALL
),
entities AS (
    SELECT
        'address' AS unit, address AS entity, * EXCLUDE (address, mailbox, account_id, customer_id, is_address_doubted)
        REPLACE (
            CASE WHEN is_address_doubted THEN 0 ELSE closed_step END AS closed_step,
            CASE WHEN is_address_doubted THEN 0 ELSE seen_step END AS seen_step,
            CASE WHEN is_address_doubted THEN 0 ELSE open_step END AS open_step,
            is_lost_proven AND NOT is_address_doubted AS is_lost_proven
        )
    FROM base
    UNION ALL BY NAME
    SELECT  -- the address that the sender wrote instead
        'address' AS unit, address || ' or another' AS entity, window_number, is_bulk, true AS is_sender_unknown, segment,
        0 AS late_step, false AS is_lost, 0 AS closed_step, 0 AS seen_step, 0 AS open_step, false AS is_lost_proven,
        false AS is_pending, false AS is_unresolved, 0 AS unresolved_step,
        CASE WHEN is_lost OR is_pending THEN 255 ELSE greatest(late_step, unresolved_step, doubt_step) END AS doubt_step
    FROM base
    WHERE is_address_doubted AND window_number = 0
    UNION ALL BY NAME
    SELECT 'mailbox' AS unit, mailbox AS entity, * EXCLUDE (address, mailbox, account_id, customer_id, is_address_doubted) FROM base WHERE mailbox IS NOT NULL
    UNION ALL BY NAME
    SELECT 'account' AS unit, account_id AS entity, * EXCLUDE (address, mailbox, account_id, customer_id, is_address_doubted) FROM base WHERE mailbox IS NOT NULL
    UNION ALL BY NAME
    SELECT 'customer' AS unit, customer_id AS entity, * EXCLUDE (address, mailbox, account_id, customer_id, is_address_doubted) FROM base WHERE mailbox IS NOT NULL
    UNION ALL BY NAME
    SELECT
        'message' AS unit, message_key AS entity,
        * EXCLUDE (message_key, address, mailbox, account_id, customer_id, is_address_doubted, is_nameless, is_dated)
    FROM touches
),
chosen AS (
    SELECT 'all' AS messages, * EXCLUDE (is_bulk, is_sender_unknown) FROM entities
    UNION ALL BY NAME
    SELECT
        'excluding_bulk' AS messages, * EXCLUDE (is_bulk, is_sender_unknown)
        REPLACE (
            CASE WHEN is_sender_unknown THEN 0 ELSE closed_step END AS closed_step,
            CASE WHEN is_sender_unknown THEN 0 ELSE seen_step END AS seen_step,
            CASE WHEN is_sender_unknown THEN 0 ELSE open_step END AS open_step,
            is_lost_proven AND NOT is_sender_unknown AS is_lost_proven
        )
    FROM entities
    WHERE NOT is_bulk
),
by_segment AS (
    SELECT
        messages, unit, window_number, segment, entity,
        max(late_step) AS late_step, bool_or(is_lost) AS is_lost,
        max(closed_step) AS closed_step, max(seen_step) AS seen_step, max(open_step) AS open_step, bool_or(is_lost_proven) AS is_lost_proven,
        bool_or(is_pending) AS is_pending, bool_or(is_unresolved) AS is_unresolved,
        max(unresolved_step) AS unresolved_step, max(doubt_step) AS doubt_step
    FROM chosen
    GROUP BY ALL
),
in_all AS (
    SELECT
        messages, unit, window_number, 'all' AS segment, entity,
        max(late_step) AS late_step, bool_or(is_lost) AS is_lost,
        max(closed_step) AS closed_step, max(seen_step) AS seen_step, max(open_step) AS open_step, bool_or(is_lost_proven) AS is_lost_proven,
        bool_or(is_pending) AS is_pending, bool_or(is_unresolved) AS is_unresolved,
        max(unresolved_step) AS unresolved_step, max(doubt_step) AS doubt_step
    FROM by_segment
    GROUP BY ALL
)
SELECT * EXCLUDE (entity), count(*) AS entities
FROM (
    SELECT * FROM by_segment
    UNION ALL BY NAME
    SELECT * FROM in_all
)
GROUP BY ALL
UNION ALL BY NAME
SELECT
    choice.messages,
    'delivery' AS unit,
    counted.* EXCLUDE (is_bulk, is_sender_unknown, segment, deliveries)
    REPLACE (
        CASE WHEN choice.messages = 'excluding_bulk' AND is_sender_unknown THEN 0 ELSE closed_step END AS closed_step,
        CASE WHEN choice.messages = 'excluding_bulk' AND is_sender_unknown THEN 0 ELSE seen_step END AS seen_step,
        CASE WHEN choice.messages = 'excluding_bulk' AND is_sender_unknown THEN 0 ELSE open_step END AS open_step,
        is_lost_proven AND NOT (choice.messages = 'excluding_bulk' AND is_sender_unknown) AS is_lost_proven
    ),
    part.segment,
    sum(deliveries)::BIGINT AS entities
FROM (
    SELECT * EXCLUDE (message_key, address, mailbox, account_id, customer_id, is_address_doubted, is_nameless, is_dated), count(*) AS deliveries
    FROM touches
    GROUP BY ALL
) AS counted
JOIN (VALUES ('all'), ('excluding_bulk')) AS choice (messages) ON choice.messages = 'all' OR NOT is_bulk
CROSS JOIN LATERAL (SELECT unnest([counted.segment, 'all']) AS segment) AS part
GROUP BY ALL;

CREATE OR REPLACE TABLE counted AS
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
reached AS (  -- every cell's own entities
    SELECT
        grid.*,
        entities,
        late_step >= step OR ("count" = 'late_or_lost' AND is_lost) AS is_measured,
        CASE WHEN "count" = 'late' THEN closed_step >= step ELSE seen_step >= step OR is_lost_proven END AS is_proven,
        open_step >= step OR ("count" = 'late_or_lost' AND is_lost_proven) AS is_proven_if_open,
        is_pending AS may_wait,
        unresolved_step >= step OR ("count" = 'late_or_lost' AND is_unresolved) AS may_have_waited,
        doubt_step >= step AS may_have_come_earlier
    FROM grid
    LEFT JOIN reach USING (unit, messages, segment, window_number)
),
summed AS (
    SELECT
        unit, is_of_the_records, step, threshold_seconds, messages, "count", segment, window_number,
        coalesce(sum(entities) FILTER (is_measured), 0)::BIGINT AS measured,
        coalesce(sum(entities) FILTER (is_proven), 0)::BIGINT AS proven,
        coalesce(sum(entities) FILTER (is_proven_if_open), 0)::BIGINT AS proven_if_open,
        coalesce(sum(entities) FILTER (is_measured OR may_wait), 0)::BIGINT AS with_pending,
        coalesce(sum(entities) FILTER (is_measured OR may_wait OR may_have_waited), 0)::BIGINT AS with_unresolved,
        coalesce(sum(entities) FILTER (is_measured OR may_wait OR may_have_waited OR may_have_come_earlier), 0)::BIGINT AS possible
    FROM reached
    GROUP BY ALL
)
SELECT
    unit,
    is_of_the_records,
    step,
    threshold_seconds,
    messages,
    "count",
    segment,
    max(measured) FILTER (window_number = 0) AS measured,
    max(proven) FILTER (window_number = 0) AS proven,
    max(proven_if_open) FILTER (window_number = 0) AS proven_if_open,
    max(with_pending) FILTER (window_number = 0) AS with_pending,
    max(with_unresolved) FILTER (window_number = 0) AS with_unresolved,
    max(possible) FILTER (window_number = 0) AS possible,
    avg(measured) FILTER (window_number > 0) AS baseline
FROM summed
GROUP BY unit, is_of_the_records, step, threshold_seconds, messages, "count", segment;

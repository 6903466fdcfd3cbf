-- The grid as the logs show it: unit x threshold x messages x count x segment.
-- In:  deliveries; windows (0 is the incident's, the others are ordinary ones); thresholds (step, threshold_seconds);
--      segments (those of the records); torn_log
-- Out: touches, reach; counted, one row per cell: measured and baseline, what is proven, and what mail that is seen may
--      add; and beside the grid, for its bounds, the same of `stranger`, recipients that no record knows
--
-- Rules: late at D is a delay >= D, delivered or pending. `measured` is what the logs show. A unit with mail in both
-- segments counts in each and once in `all`. The baseline is the mean of `measured` over the ordinary windows.
--
-- Where the log has lost lines, three things can be proven of late mail: its end was logged (`closed`); it still waited
-- at its last line, whatever came then (`seen`); it waits until as of, unless its end was lost (`open`). Mail whose
-- arrival is in doubt proves nothing, and may have waited longer (`doubt`).
--
-- A delay's step is the number of thresholds that it reaches. Steps and yes-or-no facts of a delivery lie side by side
-- in one number, a bit per threshold and fact, so that the worst of a unit's deliveries is their bit-wise `or`.

CREATE OR REPLACE MACRO step_of(seconds) AS
    len(list_filter(list_distinct(getvariable('thresholds_seconds')::BIGINT[]), lambda threshold: seconds >= threshold));
CREATE OR REPLACE MACRO any_step() AS 18;  -- more thresholds than this have no room
CREATE OR REPLACE MACRO steps(step) AS (1::HUGEINT << step::HUGEINT) - 1;
CREATE OR REPLACE MACRO fact(is_true, place) AS CASE WHEN is_true THEN 1::HUGEINT << (108 + place)::HUGEINT ELSE 0::HUGEINT END;
CREATE OR REPLACE MACRO facts_of(late, closed, seen, "open", unresolved, doubt, is_lost, is_loss_proven, is_pending, is_unresolved) AS
    steps(late) | (steps(closed) << 18) | (steps(seen) << 36) | (steps("open") << 54) | (steps(unresolved) << 72) | (steps(doubt) << 90)
    | fact(is_lost, 0) | fact(is_loss_proven, 1) | fact(is_pending, 2) | fact(is_unresolved, 3);
CREATE OR REPLACE MACRO reaches(facts, kind, step) AS (facts >> (18 * kind + step - 1)::HUGEINT) & 1 = 1;  -- kinds in the order above, from 0
CREATE OR REPLACE MACRO holds(facts, place) AS (facts >> (108 + place)::HUGEINT) & 1 = 1;
-- What stays where nothing is proven: all but closed, seen, open and the proven loss.
CREATE OR REPLACE MACRO unproven(facts) AS facts & ~(((1::HUGEINT << 54) - 1) << 18 | (1::HUGEINT << 109));

CREATE OR REPLACE TABLE touches AS
WITH
seen AS (
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
        CASE WHEN deliveries.mailbox IS NULL THEN deliveries.mailbox_or_address END AS stranger,
        deliveries.mailbox_or_address IS NULL AS is_nameless,
        is_torn AND coalesce(is_address_doubted, false) AS is_address_doubted,
        CASE WHEN outcome IN ('delivered', 'pending') THEN coalesce(by_delay.step, 0) ELSE 0 END AS late_step,
        outcome = 'lost' AS is_lost,
        NOT is_torn OR arrival_doubt IS NULL OR (
            arrival_doubt = 'derived' AND arrived_at >= windows.start_at + INTERVAL 1 SECOND AND arrived_at < windows.end_at - INTERVAL 1 SECOND
        ) AS is_dated,
        CASE WHEN outcome = 'delivered' AND is_dated THEN late_step ELSE 0 END AS closed_step,
        CASE
            WHEN outcome = 'pending' AND is_dated
                THEN step_of(CASE WHEN is_torn THEN coalesce(seen_delay_seconds, delay_seconds) ELSE proven_delay_seconds END)
            ELSE closed_step
        END AS seen_step,
        CASE
            WHEN outcome = 'pending' AND is_dated AND NOT coalesce(is_end_doubted, false)
                AND NOT coalesce(arrived_at + to_microseconds((seen_delay_seconds * 1000000)::BIGINT) <= last_gap_at, false) THEN late_step
            ELSE closed_step
        END AS open_step,
        is_lost AND is_dated AND NOT (is_torn AND coalesce(is_loss_inferred, false)) AS is_loss_proven,
        outcome = 'pending' AS is_pending,
        outcome = 'unresolved' AS is_unresolved,
        CASE  -- an end that is not logged was no later than the queue file's
            WHEN outcome = 'unresolved' AND longest_delay_seconds IS NOT NULL AND coalesce(arrival_doubt NOT IN ('undated', 'mixed'), true)
                THEN step_of(longest_delay_seconds)
            WHEN outcome = 'unresolved' THEN any_step()
            WHEN is_lost AND is_torn AND coalesce(is_loss_inferred, false) THEN coalesce(by_delay.step, 0)
            ELSE 0
        END AS unresolved_step,
        CASE
            WHEN NOT is_torn OR arrival_doubt IS NULL OR outcome NOT IN ('delivered', 'lost') THEN 0
            WHEN arrival_doubt IN ('undated', 'mixed') THEN any_step()
            WHEN arrival_doubt = 'later'
                AND len(list_filter(torn_log.gaps, lambda g: arrived_at BETWEEN g.start_at AND g.end_at + INTERVAL 1 MINUTE)) > 0 THEN any_step()
            WHEN outcome = 'delivered' THEN step_of(delay_seconds + 1)
            ELSE 0
        END AS doubt_step
    FROM deliveries
    JOIN windows ON deliveries.arrived_at >= windows.start_at AND deliveries.arrived_at < windows.end_at
    LEFT JOIN brackets AS by_delay ON deliveries.delay_seconds >= by_delay.at_least AND deliveries.delay_seconds < by_delay.below
    CROSS JOIN torn_log
),
known AS (
    SELECT
        *,
        facts_of(late_step, closed_step, seen_step, open_step, unresolved_step, doubt_step, is_lost, is_loss_proven, is_pending, is_unresolved) AS facts
    FROM seen
)
SELECT
    window_number,
    hash(message_key) AS message,
    is_bulk,
    is_sender_unknown,
    segment,
    address,
    mailbox,
    account_id,
    customer_id,
    stranger,
    is_nameless,
    is_address_doubted,
    facts
FROM known
WHERE facts <> 0  -- most mail is on time, and counts nowhere
UNION ALL
-- Mail that the log shows elsewhere and that may have arrived in the incident's window, or in another queue file than shown.
SELECT
    0,
    hash(CASE WHEN arrival_doubt = 'mixed' THEN deliveries.message_key || ' and another' ELSE deliveries.message_key END),
    deliveries.is_bulk AND arrival_doubt <> 'mixed',
    true,
    deliveries.segment,
    deliveries.address,
    deliveries.mailbox,
    deliveries.account_id,
    deliveries.customer_id,
    CASE WHEN deliveries.mailbox IS NULL THEN deliveries.mailbox_or_address END,
    deliveries.mailbox_or_address IS NULL,
    true,
    facts_of(0, 0, 0, 0, 0, any_step(), false, false, false, false)
FROM deliveries
JOIN torn_log ON is_torn
JOIN windows ON window_number = 0
WHERE outcome <> 'rejected_recipient' AND CASE arrival_doubt
    WHEN 'mixed' THEN coalesce(ended_at, start_at) >= start_at AND arrived_at < end_at + INTERVAL 5 DAY
    WHEN 'undated' THEN arrived_at >= end_at AND arrived_at < end_at + INTERVAL 5 DAY
    WHEN 'derived' THEN arrived_at BETWEEN start_at - INTERVAL 1 SECOND AND start_at OR arrived_at BETWEEN end_at AND end_at + INTERVAL 1 SECOND
END;

-- How many of each unit have what facts, by segment and choice of messages; deliveries that nobody is named for have no segment.
CREATE OR REPLACE TABLE reach AS
WITH
base AS (  -- small: mail of the same people rolled up before anything is counted apart
    SELECT
        window_number, is_bulk, is_sender_unknown, is_address_doubted, segment, address, mailbox, account_id, customer_id, stranger,
        bit_or(facts) AS facts
    FROM touches
    WHERE NOT is_nameless
    GROUP BY ALL
),
entities AS (
    SELECT
        'address' AS unit, address AS entity, window_number, is_bulk, is_sender_unknown, segment,
        CASE WHEN is_address_doubted THEN unproven(facts) ELSE facts END AS facts
    FROM base
    UNION ALL
    SELECT  -- the address that the sender may have written instead
        'address', address || ' or another', window_number, is_bulk, true, segment,
        CASE
            WHEN holds(facts, 0) OR holds(facts, 2) THEN steps(any_step())
            ELSE (facts | facts >> 72 | facts >> 90) & steps(any_step())
        END << 90
    FROM base
    WHERE is_address_doubted AND window_number = 0
    UNION ALL
    SELECT 'mailbox', mailbox, window_number, is_bulk, is_sender_unknown, segment, facts FROM base WHERE mailbox IS NOT NULL
    UNION ALL
    SELECT 'account', account_id AS entity, window_number, is_bulk, is_sender_unknown, segment, facts FROM base WHERE mailbox IS NOT NULL
    UNION ALL
    SELECT 'customer', customer_id AS entity, window_number, is_bulk, is_sender_unknown, segment, facts FROM base WHERE mailbox IS NOT NULL
    UNION ALL  -- recipients that no record knows: no unit of the grid, but of its bounds
    SELECT 'stranger', stranger, window_number, is_bulk, is_sender_unknown, segment, facts FROM base WHERE stranger IS NOT NULL
),
chosen AS (
    SELECT 'all' AS messages, unit, entity, window_number, segment, facts FROM entities
    UNION ALL
    SELECT 'excluding_bulk', unit, entity, window_number, segment, CASE WHEN is_sender_unknown THEN unproven(facts) ELSE facts END
    FROM entities
    WHERE NOT is_bulk
),
by_segment AS (
    SELECT messages, unit, window_number, segment, entity, bit_or(facts) AS facts
    FROM chosen
    GROUP BY ALL
),
in_all AS (
    SELECT messages, unit, window_number, 'all' AS segment, entity, bit_or(facts) AS facts
    FROM by_segment
    GROUP BY ALL
),
message_by_segment AS (  -- a message has one sender, so its choice can be made when it has been counted
    SELECT
        window_number, segment, message,
        any_value(is_bulk) AS is_bulk, any_value(is_sender_unknown) AS is_sender_unknown, bit_or(facts) AS facts
    FROM touches
    GROUP BY window_number, segment, message
),
message_in_all AS (
    SELECT
        window_number, 'all' AS segment, message,
        any_value(is_bulk) AS is_bulk, any_value(is_sender_unknown) AS is_sender_unknown, bit_or(facts) AS facts
    FROM message_by_segment
    GROUP BY window_number, message
),
mail AS (
    SELECT 'message' AS unit, window_number, segment, is_bulk, is_sender_unknown, facts, count(*) AS entities FROM message_by_segment GROUP BY ALL
    UNION ALL
    SELECT 'message', window_number, segment, is_bulk, is_sender_unknown, facts, count(*) FROM message_in_all GROUP BY ALL
    UNION ALL
    SELECT 'delivery', window_number, segment, is_bulk, is_sender_unknown, facts, count(*) FROM touches GROUP BY ALL
    UNION ALL
    SELECT 'delivery', window_number, 'all', is_bulk, is_sender_unknown, facts, count(*) FROM touches GROUP BY ALL
)
SELECT messages, unit, window_number, segment, facts, count(*) AS entities FROM by_segment GROUP BY ALL
UNION ALL
SELECT messages, unit, window_number, segment, facts, count(*) FROM in_all GROUP BY ALL
UNION ALL
SELECT
    choice.messages,
    unit,
    window_number,
    segment,
    CASE WHEN choice.messages = 'excluding_bulk' AND is_sender_unknown THEN unproven(facts) ELSE facts END,
    sum(entities)::BIGINT
FROM mail
JOIN (VALUES ('all'), ('excluding_bulk')) AS choice (messages) ON choice.messages = 'all' OR NOT is_bulk
GROUP BY ALL;

CREATE OR REPLACE TABLE counted AS
WITH
units (unit, is_of_the_records) AS (
    VALUES ('delivery', false), ('message', false), ('address', false), ('mailbox', true), ('account', true), ('customer', true), ('stranger', false)
),
grid AS (
    SELECT unit, is_of_the_records, thresholds.step, thresholds.threshold_seconds, messages, "count", segment, window_number
    FROM units
    CROSS JOIN thresholds
    CROSS JOIN (VALUES ('all'), ('excluding_bulk')) AS choice (messages)
    CROSS JOIN (VALUES ('late'), ('late_or_lost')) AS outcome ("count")
    CROSS JOIN (SELECT 'all' AS segment UNION ALL SELECT segment FROM segments UNION ALL SELECT 'unmatched') AS part
    CROSS JOIN (SELECT window_number FROM windows) AS spans
    WHERE CASE segment WHEN 'unmatched' THEN NOT is_of_the_records ELSE unit <> 'stranger' END
),
reached AS (  -- every cell's own entities
    SELECT
        grid.*,
        entities,
        reaches(facts, 0, step) OR ("count" = 'late_or_lost' AND holds(facts, 0)) AS is_measured,
        CASE WHEN "count" = 'late' THEN reaches(facts, 1, step) ELSE reaches(facts, 2, step) OR holds(facts, 1) END AS is_proven,
        reaches(facts, 3, step) OR ("count" = 'late_or_lost' AND holds(facts, 1)) AS is_proven_if_open,
        holds(facts, 2) AS may_wait,
        reaches(facts, 4, step) OR ("count" = 'late_or_lost' AND holds(facts, 3)) AS may_have_waited,
        reaches(facts, 5, step) AS may_have_come_earlier
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
        coalesce(sum(entities) FILTER (is_measured OR may_wait OR may_have_waited OR may_have_come_earlier), 0)::BIGINT AS possible,
        coalesce(sum(entities) FILTER (is_measured OR may_have_waited OR may_have_come_earlier), 0)::BIGINT AS possible_without_pending
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
    max(possible_without_pending) FILTER (window_number = 0) AS possible_without_pending,
    avg(measured) FILTER (window_number > 0) AS baseline
FROM summed
GROUP BY unit, is_of_the_records, step, threshold_seconds, messages, "count", segment;

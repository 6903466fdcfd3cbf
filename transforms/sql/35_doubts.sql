-- What the lines themselves tell of lines that are missing.
-- In:  events, quarantine, files, plain_files, facts, said, legs, leg_recipients, hops, chains, hop_relays; settings
-- Out: habits, one row per host: which lines its queue files leave; losses, one row per host and hour: lines expected
--      and missing; torn, hosts that have lost lines; fallen_silent, queue files that are not tried again;
--      doubted_roots, shared_ends and uncounted, messages of which the beginning, an end or a recipient may have
--      gone; handing_hosts and last_legs, where a queue file's end is no end of its mail, and where it is
--
-- Rules: a queue file of a host leaves a line when it arrives, one with its Message-ID, one with its number of
-- recipients, one per recipient's end and one at its own end, as far as most files of that host do. A file that has
-- some of them and lacks others has lost lines. Of a file whose every line was lost nothing is left: their number is
-- told by how often either half is missing (Lincoln and Petersen: only the first half x only the second / both).

CREATE OR REPLACE TABLE habits AS
SELECT
    host,
    began_at,
    is_chained,
    files_arrived > files / 2 AS has_arrivals,
    files_named > files / 2 AS has_names,
    files_counted > files / 2 AS has_counts,
    files_announced > files / 2 AS has_announcements,
    files_removed > files / 5 AS has_ends,
    lines / greatest(recipients, 1) AS lines_per_recipient
FROM (
    SELECT
        legs.host,
        count(*) AS files,
        count(*) FILTER (has_arrival_line) AS files_arrived,
        count(message_id) AS files_named,
        count(recipient_count) AS files_counted,
        count(announced_count) AS files_announced,
        sum(coalesce(recipient_count, announced_count, 1)) AS recipients,
        count(*) FILTER (end_kind IN ('removed', 'ended')) AS files_removed
    FROM (
        SELECT host, has_arrival_line, message_id, recipient_count, announced_count, end_kind FROM legs WHERE is_accepted AND lifetime >= 0
        UNION ALL
        SELECT host, true, 'has one', recipient_count, announced_count, 'removed' FROM plain_files
    ) AS legs
    GROUP BY legs.host
)
JOIN (
    SELECT host, min(began_at) AS began_at, sum(lines) AS lines
    FROM (
        SELECT host, min(first_line_at) AS began_at, sum(lines) AS lines FROM files ANTI JOIN reused USING (host, queue_id) GROUP BY host
        UNION ALL
        SELECT host, min(logged_at), count(*) FROM lifetimes GROUP BY host
    )
    GROUP BY host
) USING (host)
CROSS JOIN (SELECT count(*) > 0 AS is_chained FROM (SELECT 1 FROM hops UNION ALL SELECT 1 FROM former_legs));

CREATE OR REPLACE TABLE losses AS
WITH
told AS (
    SELECT leg, count(*) AS named, count(*) FILTER (is_ended) AS finals, max(final_at) AS last_final_at FROM leg_recipients GROUP BY leg
),
told_files AS (
    SELECT legs.*, chains.depth = 0 AS is_first, named, finals, last_final_at
    FROM legs
    JOIN chains USING (leg)
    LEFT JOIN told USING (leg)
    WHERE legs.lifetime >= 0 AND NOT chains.is_notice
    UNION ALL BY NAME
    SELECT
        host, arrived_at, true AS has_arrival_line, sender, message_id, true AS is_accepted, false AS is_listed, recipient_count,
        'removed' AS end_kind, arrived_at AS ended_at, true AS is_first, ends AS named, ends AS finals, arrived_at AS last_final_at
    FROM plain_files
),
files AS (  -- from their beginning to their end within the log
    SELECT
        legs.host,
        date_trunc('hour', legs.arrived_at) AS hour_at,
        habits.lines_per_recipient,
        legs.is_accepted,
        legs.recipient_count,
        legs.end_kind,
        coalesce(named, 0) AS named,
        coalesce(finals, 0) AS finals,
        is_accepted AND has_arrivals AND is_first AND coalesce(sender, '?') <> '' AS must_arrive,
        is_accepted AND has_names AS must_be_named,
        is_accepted AND has_counts AND NOT legs.is_listed AS must_be_counted,
        is_accepted AND has_ends AND finals >= recipient_count AND last_final_at < settings.as_of - INTERVAL 1 MINUTE AS must_end,
        CASE WHEN end_kind = 'removed' AND expired_at IS NULL THEN coalesce(recipient_count, 1) ELSE 0 END AS must_be_final,
        must_arrive AND NOT has_arrival_line AS lacks_arrival,
        must_be_named AND message_id IS NULL AS lacks_name,
        must_be_counted AND recipient_count IS NULL AS lacks_count,
        must_end AND ended_at IS NULL AS lacks_end,
        greatest(0, must_be_final - coalesce(finals, 0)) AS lacks_finals,
        CASE WHEN has_counts THEN recipient_count IS NOT NULL ELSE has_arrival_line OR message_id IS NOT NULL END AS has_first_half,
        coalesce(finals, 0) > 0 OR ended_at IS NOT NULL AS has_second_half
    FROM told_files AS legs
    JOIN habits USING (host)
    CROSS JOIN settings
    WHERE legs.arrived_at > habits.began_at + INTERVAL 1 MINUTE
)
SELECT
    host,
    hour_at,
    any_value(lines_per_recipient) AS lines_per_recipient,
    count(*) FILTER (is_accepted) AS files,
    sum(must_arrive::INTEGER + must_be_named::INTEGER + must_be_counted::INTEGER + must_end::INTEGER + must_be_final)::BIGINT AS lines_expected,
    sum(lacks_arrival::INTEGER + lacks_name::INTEGER + lacks_count::INTEGER + lacks_end::INTEGER + lacks_finals)::BIGINT AS lines_missing,
    count(*) FILTER (must_arrive AND must_be_named) AS pairs_expected,
    count(*) FILTER (lacks_arrival AND lacks_name) AS pairs_missing,
    count(*) FILTER (must_end) AS files_to_end,
    sum(finals)::BIGINT AS finals,
    count(*) FILTER (end_kind = 'deleted') AS deletions,
    coalesce(sum(recipient_count), 0)::BIGINT AS recipients_counted,
    coalesce(sum(lacks_finals) FILTER (recipient_count IS NOT NULL), 0)::BIGINT AS recipients_unnamed,
    coalesce(sum(named) FILTER (lacks_count), 0)::BIGINT AS recipients_uncounted,
    count(recipient_count) AS files_counted,
    count(*) FILTER (has_first_half AND NOT has_second_half) AS first_half_only,
    count(*) FILTER (has_second_half AND NOT has_first_half) AS second_half_only,
    count(*) FILTER (has_first_half AND has_second_half) AS both_halves
FROM files
GROUP BY host, hour_at;

-- Hosts whose log has lost lines. Their open mail is proven to wait only until its last line.
CREATE OR REPLACE TABLE torn AS
SELECT DISTINCT host FROM losses WHERE lines_missing > 0;

-- Queue files without an end that are not tried again, although the server has had twice the time that it takes otherwise.
SET VARIABLE one_in = (SELECT 1 + count(*) // 20000 FROM files);  -- of some thousands of files: they all keep the same timetable

CREATE OR REPLACE TABLE retry_habit AS
WITH
tries AS (
    SELECT host, queue_id, recipient, logged_at, source_id, queue_file
    FROM events
    WHERE kind = 'attempted' AND recipient IS NOT NULL AND hash(queue_id) % getvariable('one_in') = 0
),
of_files AS (  -- a plain queue file is all in one log file
    SELECT host || '/' || queue_id AS file, recipient, logged_at FROM tries SEMI JOIN long_files USING (host, queue_id) ANTI JOIN reused USING (host, queue_id)
    UNION ALL
    SELECT host || '/' || queue_id || '/' || coalesce(source_id || queue_file, ''), recipient, logged_at FROM tries ANTI JOIN long_files USING (host, queue_id)
    UNION ALL
    SELECT host || '/' || queue_id || '/' || lifetime, recipient, logged_at
    FROM lifetimes
    WHERE kind = 'attempted' AND recipient IS NOT NULL AND hash(queue_id) % getvariable('one_in') = 0
)
SELECT coalesce(quantile_cont(seconds, 0.99), 0) AS seconds
FROM (SELECT seconds_between(lag(logged_at) OVER (PARTITION BY file, recipient ORDER BY logged_at), logged_at) AS seconds FROM of_files);

CREATE OR REPLACE TABLE fallen_silent AS
WITH
held AS (
    SELECT host, queue_id, lifetime
    FROM (SELECT * FROM facts WHERE kind = 'held' UNION ALL SELECT * FROM facts WHERE kind = 'released')
    GROUP BY host, queue_id, lifetime
    HAVING arg_max(kind, moment) = 'held'
)
SELECT legs.leg, legs.host, legs.last_line_at
FROM legs
ANTI JOIN held USING (host, queue_id, lifetime)
SEMI JOIN (SELECT leg FROM leg_recipients WHERE attempts > 0) AS tried USING (leg)
CROSS JOIN settings
CROSS JOIN retry_habit
WHERE legs.ended_at IS NULL AND legs.lifetime >= 0 AND NOT legs.is_listed AND retry_habit.seconds > 0
  AND seconds_between(legs.last_line_at, settings.as_of) > 2 * retry_habit.seconds;

CREATE OR REPLACE TABLE doubted_roots AS
WITH
mixed AS (  -- an id used again, and the lines between the two files are lost: an end tells another arrival
    SELECT DISTINCT chains.root
    FROM legs
    SEMI JOIN torn USING (host)
    JOIN leg_recipients AS given USING (leg)
    JOIN chains USING (leg)
    WHERE given.final_delay_seconds + 2 < seconds_between(legs.arrived_at, given.final_at) AND NOT is_never_reused(legs.queue_id)
),
begun AS (
    SELECT
        legs.leg AS root,
        CASE
            WHEN has_arrival_line AND former_queue_id IS NULL AND NOT coalesce(contains(client, '[127.0.0.1]') OR contains(client, '[::1]'), false) THEN NULL
            WHEN has_arrival_line AND NOT is_chained THEN NULL
            WHEN NOT has_arrival_line AND message_id IS NULL AND epoch_us(arrived_at) >= (first_moment // 4294967296) // 4096 THEN 'undated'
            WHEN is_chained OR sender = '' THEN 'later'
            ELSE 'derived'
        END AS doubt
    FROM legs
    JOIN habits USING (host)
    JOIN chains USING (leg)
    WHERE chains.depth = 0 AND legs.lifetime >= 0 AND habits.has_arrivals AND legs.arrived_at > habits.began_at
)
SELECT root, CASE WHEN mixed.root IS NOT NULL THEN 'mixed' ELSE begun.doubt END AS arrival_doubt
FROM (SELECT * FROM begun WHERE doubt IS NOT NULL) AS begun
FULL JOIN mixed USING (root);

-- Messages with a queue file that ended for several recipients at once: a recipient's own end may have been lost before.
CREATE OR REPLACE TABLE shared_ends AS
SELECT DISTINCT chains.root
FROM legs
JOIN chains USING (leg)
WHERE (legs.end_kind IN ('deleted', 'ended') OR legs.expired_at IS NOT NULL) AND legs.recipient_count IS DISTINCT FROM 1;

-- Messages of which a recipient may go unnamed, or (`is_unannounced`) named otherwise than it was written.
CREATE OR REPLACE TABLE uncounted AS
WITH
told AS (
    SELECT leg, count(*) AS named
    FROM leg_recipients SEMI JOIN (SELECT leg FROM legs SEMI JOIN torn USING (host)) AS of_torn_hosts USING (leg)
    GROUP BY leg
)
SELECT chains.root, bool_or(habits.has_announcements AND legs.announced_count IS NULL) AS is_unannounced
FROM legs
SEMI JOIN torn USING (host)
JOIN habits USING (host)
JOIN chains USING (leg)
LEFT JOIN told USING (leg)
WHERE (habits.has_counts AND legs.recipient_count IS NULL)
   OR (habits.has_announcements AND legs.announced_count IS NULL)
   OR coalesce(legs.recipient_count, legs.announced_count) > coalesce(told.named, 0)
GROUP BY chains.root;

-- Hosts that hand mail on inside the platform, and the legs there that hand it to somebody else.
CREATE OR REPLACE TABLE handing_hosts AS
SELECT DISTINCT legs.host FROM hops JOIN legs USING (leg) JOIN leg_recipients USING (leg_recipient) WHERE leg_recipients.is_ended;

CREATE OR REPLACE TABLE last_legs AS
SELECT DISTINCT given.leg
FROM leg_recipients AS given
JOIN (SELECT leg, host FROM legs SEMI JOIN torn USING (host) SEMI JOIN handing_hosts USING (host)) AS legs USING (leg)
ANTI JOIN hop_relays ON hop_relays.host = legs.host AND hop_relays.relay = given.relay
ANTI JOIN hops USING (leg_recipient)
WHERE given.is_ended AND given.final_status <> 'forwarded';

-- Lines that could not be read, each with the times between which it was written: those of the lines around it.
CREATE OR REPLACE TABLE unread AS
WITH
blocks AS (
    SELECT source_id, line_number // 1000 AS block, min(logged_at) AS first_at, max(logged_at) AS last_at
    FROM events SEMI JOIN quarantine ON quarantine.source_id = file_of(events.source_id)
    WHERE kind <> 'snapshot'
    GROUP BY ALL
),
reached AS (
    SELECT
        source_id, block, max(last_at) OVER before AS from_at, min(first_at) OVER after AS until_at
    FROM blocks
    WINDOW
        before AS (PARTITION BY source_id ORDER BY block ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        after AS (PARTITION BY source_id ORDER BY block ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
)
SELECT  -- a block in which two pieces of a log meet is of both
    quarantine.source_id,
    quarantine.line_number,
    CASE WHEN bool_and(from_at IS NOT NULL) THEN min(from_at) END AS from_at,
    CASE WHEN bool_and(until_at IS NOT NULL) THEN max(until_at) END AS until_at
FROM quarantine
LEFT JOIN reached ON file_of(reached.source_id) = quarantine.source_id AND reached.block = quarantine.line_number // 1000
GROUP BY quarantine.source_id, quarantine.line_number;

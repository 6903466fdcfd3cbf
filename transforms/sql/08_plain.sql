-- Which queue files are so plain that what became of their mail can be read off?
-- In:  events; customer_records, settings; variable is_told_in_full: every queue file is to go the long way
-- Out: files, one row per queue id of a host, as if no id were used twice; long_files, those that go the long way, by
--      the steps from 10_lifetimes.sql on; plain_files, all others; orderly_ends, one row per recipient of theirs (and
--      of some that go the long way); waits, attempts that put such a recipient off; handing_back, one row per next hop
--      that may hand mail back
--
-- Rule: a queue file is plain if it leaves no question to any later step. One file of the log holds all its lines; it
-- arrives first, from another machine, is removed last, and has nothing between but its Message-ID, its sender and
-- attempts; each recipient that it counts has one end, `sent` or `bounced`, and one name; no line of it names another
-- queue file that we know, and none of another names this one; its Message-ID is borne by no file but plain ones; and
-- its next hop does not seem to hand mail back. Whoever goes the long way without need comes to the same figures; so
-- each test may send a plain file there, and none lets another file through.

-- Numbers of arrivals, names and removals side by side in one sum, exact for files of fewer than 2^17 lines; a line of
-- any other kind puts it out of reach.
CREATE OR REPLACE MACRO shape_of(arrivals, names, removals) AS arrivals::DOUBLE + names * 131072.0::DOUBLE + removals * 17179869184.0::DOUBLE;
CREATE OR REPLACE MACRO odd() AS 2251799813685248.0::DOUBLE;

CREATE OR REPLACE TABLE files AS
SELECT
    row_number() OVER () AS file,
    host,
    queue_id,
    arrived_at,
    first_line_at,
    recipient_count,
    sender,
    message_id,
    lines,
    coalesce(
        NOT coalesce(getvariable('is_told_in_full'), false) AND is_one_file AND shape = shape_of(1, 1, 1) AND lines < 131072
        AND arrives_first AND is_removed_last AND ends = recipient_count AND sender IS NOT NULL AND message_id <> ''
        AND coalesce(arrival_told_us <= epoch_us(arrived_at) + 2000000, true)  -- else an end tells another arrival
        AND last_line_at < settings.as_of - INTERVAL 1 MINUTE,
        false
    ) AS is_orderly
FROM (
    SELECT
        host,
        queue_id,
        min(hash(source_id)) = max(hash(source_id)) AS is_one_file,
        count(*) AS lines,
        count(*) FILTER (status IN ('sent', 'bounced')) AS ends,
        sum(CASE kind
            WHEN 'queued' THEN 0
            WHEN 'attempted' THEN CASE WHEN recipient IS NOT NULL AND status IN ('sent', 'bounced', 'deferred') THEN 0 ELSE odd() END
            WHEN 'arrived' THEN shape_of(1, 0, 0)
            WHEN 'named' THEN shape_of(0, 1, 0)
            WHEN 'removed' THEN shape_of(0, 0, 1)
            ELSE odd()
        END) AS shape,
        max(recipient_count) AS recipient_count,
        min(2 * line_number + (kind <> 'arrived')::BIGINT) % 2 = 0 AS arrives_first,
        max(2 * line_number + (kind = 'removed')::BIGINT) % 2 = 1 AS is_removed_last,
        min(logged_at) AS first_line_at,
        max(logged_at) AS last_line_at,
        min(logged_at) FILTER (kind = 'arrived') AS arrived_at,
        max(epoch_us(logged_at) - delay_seconds * 1000000) AS arrival_told_us,
        min(sender) FILTER (kind = 'queued') AS sender,
        min(message_id) AS message_id
    FROM events
    WHERE queue_id IS NOT NULL AND kind NOT IN ('refused', 'snapshot')
    GROUP BY host, queue_id
)
CROSS JOIN settings;

CREATE OR REPLACE TABLE odd_arrivals AS  -- from the machine itself, of a former queue file, or with recipients counted before aliases
SELECT host, queue_id
FROM events
WHERE kind = 'arrived' AND (
    coalesce(contains(client, '[127.0.0.1]') OR contains(client, '[::1]'), true)
    OR related_queue_id IS NOT NULL OR recipient_count IS NOT NULL
);

CREATE OR REPLACE TABLE related AS  -- ids that a line or a queue listing names
SELECT related_queue_id AS queue_id FROM events WHERE related_queue_id IS NOT NULL
UNION
SELECT queue_id FROM events WHERE kind = 'snapshot';

CREATE OR REPLACE TABLE known AS  -- and that we have lines of
SELECT DISTINCT queue_id FROM files SEMI JOIN related USING (queue_id);

CREATE OR REPLACE TABLE naming AS
SELECT host, events.queue_id FROM events SEMI JOIN known ON known.queue_id = events.related_queue_id;

CREATE OR REPLACE TABLE announcing AS  -- hosts that count recipients before aliases
SELECT DISTINCT host FROM events WHERE kind = 'arrived' AND recipient_count IS NOT NULL;

CREATE OR REPLACE TABLE unlinked AS  -- orderly files that no line ties to others
SELECT file, host, queue_id
FROM files
ANTI JOIN odd_arrivals USING (host, queue_id)
ANTI JOIN naming USING (host, queue_id)
ANTI JOIN known USING (queue_id)
ANTI JOIN announcing USING (host)
WHERE is_orderly;

CREATE OR REPLACE TABLE orderly_ends AS
SELECT
    file, host, recipient, original_recipient, logged_at AS final_at, status AS final_status, dsn, relay,
    status = 'bounced' AND is_unknown_mailbox(dsn, reply) AS is_unknown_mailbox, delay_seconds, source_id, line_number
FROM events
JOIN unlinked USING (host, queue_id)
WHERE kind = 'attempted' AND status IN ('sent', 'bounced');

CREATE OR REPLACE TABLE waits AS
SELECT file, recipient, original_recipient, count(*) AS attempts
FROM events
JOIN unlinked USING (host, queue_id)
WHERE kind = 'attempted' AND status = 'deferred'
GROUP BY file, recipient, original_recipient;

CREATE OR REPLACE TABLE alone AS  -- of these, files with an end for each recipient, whose Message-ID no other file bears
WITH
other_names AS (SELECT DISTINCT address FROM customer_records WHERE mailbox IS DISTINCT FROM address),
several AS (SELECT file FROM orderly_ends GROUP BY file HAVING count(*) > 1),
questioned AS (
    SELECT file  -- put off, and under this name without an end
    FROM waits
    ANTI JOIN orderly_ends AS ends ON ends.file = waits.file AND ends.recipient = waits.recipient
        AND ends.original_recipient IS NOT DISTINCT FROM waits.original_recipient
    UNION ALL
    SELECT ends.file  -- several recipients of which two may be one
    FROM orderly_ends AS ends
    SEMI JOIN several USING (file)
    LEFT JOIN other_names ON other_names.address = ends.recipient
    GROUP BY ends.file
    HAVING count(DISTINCT recipient) < count(*)
        OR count(original_recipient) + count(other_names.address) + count(*) FILTER (contains(recipient, '+')) > 0
),
unquestioned AS (SELECT file FROM unlinked ANTI JOIN questioned USING (file)),
others AS (SELECT host, queue_id FROM files ANTI JOIN unquestioned USING (file)),
borne_elsewhere AS (SELECT message_id FROM events SEMI JOIN others USING (host, queue_id) WHERE message_id IS NOT NULL)
SELECT file
FROM files
SEMI JOIN unquestioned USING (file)
ANTI JOIN borne_elsewhere USING (message_id);

CREATE OR REPLACE TABLE handing_back AS  -- perhaps: next hops to which most mail was sent in other files
SELECT host, relay
FROM (
    SELECT host, relay, count(*) AS sent FROM events WHERE kind = 'attempted' AND status = 'sent' AND relay <> 'none' GROUP BY host, relay
)
LEFT JOIN (
    SELECT host, relay, count(*) AS sent_alone FROM orderly_ends SEMI JOIN alone USING (file) WHERE final_status = 'sent' GROUP BY host, relay
) USING (host, relay)
WHERE sent > 2 * coalesce(sent_alone, 0);

CREATE OR REPLACE TABLE long_files AS
WITH
plain AS (
    SELECT file
    FROM alone
    ANTI JOIN (SELECT file FROM orderly_ends SEMI JOIN handing_back USING (host, relay) WHERE final_status = 'sent') AS handed USING (file)
)
SELECT file, host, queue_id FROM files ANTI JOIN plain USING (file);

CREATE OR REPLACE VIEW plain_files AS SELECT * FROM files ANTI JOIN long_files USING (file);

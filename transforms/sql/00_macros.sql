-- Words that the other files use.

-- Arrival as an orphan line tells it: stamp - delay (trap 9).
CREATE OR REPLACE MACRO arrival_by_delay(logged_at, delay_seconds) AS
    logged_at - to_microseconds((coalesce(delay_seconds, 0) * 1000000)::BIGINT);

-- A status after which the server does not try again for this recipient.
CREATE OR REPLACE MACRO is_final(status) AS coalesce(status IN ('sent', 'forwarded', 'bounced', 'expired', 'discarded'), false);

-- A line's place in time, as one sortable number: its stamp, then the place of its file, then its number in the file.
CREATE OR REPLACE MACRO moment(logged_at, position, line_number) AS
    (epoch_us(logged_at)::HUGEINT * 4096 + position) * 4294967296 + line_number;

-- Of such a moment, its stamp, and its stamp and file.
CREATE OR REPLACE MACRO stamp_in(moment) AS moment // 17592186044416;  -- 4096 * 4294967296
CREATE OR REPLACE MACRO file_in(moment) AS moment // 4294967296;

-- The file, given the id of one of the pieces that were joined in it.
CREATE OR REPLACE MACRO file_of(source_id) AS split_part(source_id, '+', 1);

-- What ends a queue file.
CREATE OR REPLACE MACRO is_end(kind) AS kind IN ('removed', 'ended', 'deleted', 'requeued');

-- Postfix' long ids, Exim's ids and Message-IDs are never reused.
CREATE OR REPLACE MACRO is_never_reused(id) AS regexp_matches(
    id,
    '^[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]+$|^.{6}-.{6,11}-.{2,4}$|@'
);

CREATE OR REPLACE MACRO seconds_between(start_at, end_at) AS (epoch_us(end_at) - epoch_us(start_at)) / 1e6;

CREATE OR REPLACE MACRO is_whole_second(stamp) AS epoch_us(stamp) % 1000000 = 0;

CREATE OR REPLACE MACRO domain_of(address) AS regexp_extract(address, '@([^@]*)$', 1);

-- local+tag@domain -> local@domain (trap 13)
CREATE OR REPLACE MACRO without_tag(address) AS regexp_replace(address, '^([^+@"]+)\+[^@]*@', '\1@');

-- Refused as an unknown mailbox: enhanced status 5.1.1 / 5.1.0 / 5.1.10 (RFC 3463), or the words of the common servers.
CREATE OR REPLACE MACRO is_unknown_mailbox(dsn, reply) AS
    coalesce(dsn IN ('5.1.1', '5.1.10'), false)
    OR regexp_matches(
        lower(coalesce(reply, '')),
        'user unknown|unknown user|no such (user|mailbox|recipient|address)|mailbox (not found|unavailable|does not exist)|unknown (recipient|mailbox|address)|recipient (unknown|not found|rejected: user unknown)|(user|address|recipient|account) (does not|doesn.t) exist|unrouteable address|recipnotfound|invalid (recipient|mailbox)'
    );

-- What the lines of each queue file say of it, from rows of events with their `moment` and `lifetime`.
CREATE OR REPLACE MACRO queue_files_of(lines) AS TABLE
SELECT
    host,
    queue_id,
    lifetime,
    min(moment) AS first_moment,
    min(logged_at) FILTER (kind = 'arrived') AS arrived_line_at,
    min(arrival_by_delay(logged_at, delay_seconds)) AS earliest_at,
    max(logged_at) AS last_line_at,
    min(sender) FILTER (kind = 'queued') AS queued_sender,
    min(sender) FILTER (kind = 'arrived') AS arrived_sender,
    min(message_id) AS message_id,
    min(client) FILTER (kind = 'arrived') AS client,
    max(recipient_count) FILTER (kind = 'queued') AS recipient_count,
    max(recipient_count) FILTER (kind = 'arrived') AS announced_count,
    min(related_queue_id) FILTER (kind = 'arrived') AS former_queue_id,
    min(logged_at) FILTER (is_end(kind)) AS ended_at,
    CASE
        WHEN bool_or(kind = 'requeued') THEN 'requeued'
        WHEN bool_or(kind = 'deleted') THEN 'deleted'  -- also when the server then says that it is done
        WHEN bool_or(kind = 'ended') THEN 'ended'
        WHEN bool_or(kind = 'removed') THEN 'removed'
    END AS end_kind,
    min(logged_at) FILTER (kind = 'expired') AS expired_at,
    bool_or(kind NOT IN ('arrived', 'named') OR recipient_count > 0) AS is_accepted,
    -- what tells that an id was used again
    count(*) FILTER (kind = 'arrived') AS arrivals,
    count(*) FILTER (is_end(kind)) AS ends,
    min(source_id) = max(source_id) AS is_one_file,
    CASE
        WHEN min(source_id) = max(source_id) THEN max(line_number) FILTER (is_end(kind)) < min(line_number) FILTER (kind = 'arrived')
        ELSE max(logged_at) FILTER (is_end(kind)) < min(logged_at) FILTER (kind = 'arrived')
    END AS has_end_first,
    CASE
        WHEN min(source_id) = max(source_id) THEN max(line_number) > max(line_number) FILTER (is_end(kind))
        ELSE max(moment) > max(moment) FILTER (is_end(kind))
    END AS has_more_after_end,
    CASE
        WHEN min(source_id) = max(source_id) THEN min(line_number) < min(line_number) FILTER (kind = 'arrived')
        ELSE min(moment) < min(moment) FILTER (kind = 'arrived')
    END AS has_more_before_arrival
FROM query_table(lines)
GROUP BY host, queue_id, lifetime;

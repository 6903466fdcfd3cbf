-- What do the lines of one log file say of each queue file?
-- In:  share, the events of some queue files; settings; variable is_told_in_full: every queue file is to go the long way
-- Out: files_of_share, one row per queue file as one log file tells of it; of all shares it is kept as `files`
--
-- Rule: a queue file is orderly if its log file tells all of it. It arrives first and is removed last, has nothing
-- between but its Message-ID, its sender and attempts, and as many ends as it counts recipients (Postfix). Or all is told
-- at its arrival, and it has as many ends as recipients were named there, if any were (Exim).

-- Numbers of arrivals, names and removals side by side in one sum, exact for files of fewer than 2^17 lines; a line of
-- any other kind puts it out of reach.
CREATE OR REPLACE MACRO shape_of(arrivals, names, removals) AS arrivals::DOUBLE + names * 131072.0::DOUBLE + removals * 17179869184.0::DOUBLE;
CREATE OR REPLACE MACRO odd() AS 2251799813685248.0::DOUBLE;

CREATE OR REPLACE VIEW files_of_share AS
SELECT
    file,
    host,
    queue_id,
    arrived_at,
    first_line_at,
    last_line_at,
    recipient_count,
    announced_count,
    sender,
    message_id,
    lines,
    ends,
    coalesce(
        NOT coalesce(getvariable('is_told_in_full'), false) AND lines < 131072 AND arrives_first AND is_removed_last
        AND CASE
            WHEN recipient_count IS NOT NULL THEN shape = shape_of(1, 1, 1) AND ends = recipient_count AND accepted = 0
            ELSE shape = shape_of(1, 0, 1) AND ends > 0 AND accepted = coalesce(announced_count, 0) AND accepted IN (0, ends)
        END
        AND sender IS NOT NULL AND message_id <> ''
        AND coalesce(arrival_told_us <= epoch_us(arrived_at) + 2000000, true)  -- else an end tells another arrival
        AND last_line_at < settings.as_of - INTERVAL 1 MINUTE,
        false
    ) AS is_orderly
FROM (
    SELECT
        file,
        any_value(host) AS host,
        any_value(queue_id) AS queue_id,
        count(*) AS lines,
        count(*) FILTER (status IN ('sent', 'bounced')) AS ends,
        count(*) FILTER (kind = 'accepted') AS accepted,
        sum(CASE kind
            WHEN 'queued' THEN 0
            WHEN 'accepted' THEN 0
            WHEN 'attempted' THEN CASE WHEN recipient IS NOT NULL AND status IN ('sent', 'bounced', 'deferred') THEN 0 ELSE odd() END
            WHEN 'arrived' THEN shape_of(1, 0, 0)
            WHEN 'named' THEN shape_of(0, 1, 0)
            WHEN 'removed' THEN shape_of(0, 0, 1)
            ELSE odd()
        END) AS shape,
        max(recipient_count) FILTER (kind <> 'arrived') AS recipient_count,
        max(recipient_count) FILTER (kind = 'arrived') AS announced_count,
        min(2 * line_number + (kind <> 'arrived')::BIGINT) % 2 = 0 AS arrives_first,
        max(2 * line_number + (kind = 'removed')::BIGINT) % 2 = 1 AS is_removed_last,
        min(logged_at) AS first_line_at,
        max(logged_at) AS last_line_at,
        min(logged_at) FILTER (kind = 'arrived') AS arrived_at,
        max(epoch_us(logged_at) - delay_seconds * 1000000) AS arrival_told_us,
        coalesce(min(sender) FILTER (kind = 'queued'), min(sender) FILTER (kind = 'arrived')) AS sender,
        min(message_id) AS message_id
    FROM share
    GROUP BY file
)
CROSS JOIN settings;

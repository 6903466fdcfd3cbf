-- How did it end for each recipient of the queue files that nothing ties to others?
-- In:  share, the events of some queue files; files_of_share; linked; customer_records
-- Out: ends_of_share, one row per recipient's end; of all shares it is kept as `ends`. `is_questioned`: of the queue file's
--      recipients one has no end, or two may be one

CREATE OR REPLACE TABLE ended AS
SELECT
    file, recipient, original_recipient, logged_at AS final_at, status AS final_status, dsn, relay,
    status = 'bounced' AND is_unknown_mailbox(dsn, reply) AS is_unknown_mailbox, delay_seconds, source_id, line_number
FROM share
ANTI JOIN linked USING (file)
WHERE kind = 'attempted' AND status IN ('sent', 'bounced');

CREATE OR REPLACE TABLE waits AS
SELECT file, recipient, original_recipient, count(*) AS attempts
FROM share
ANTI JOIN linked USING (file)
WHERE kind = 'attempted' AND status = 'deferred'
GROUP BY file, recipient, original_recipient;

CREATE OR REPLACE TABLE questioned AS
WITH
other_names AS (SELECT DISTINCT address FROM customer_records WHERE mailbox IS DISTINCT FROM address),
several AS (SELECT file FROM ended GROUP BY file HAVING count(*) > 1)
SELECT file  -- put off, and under this name without an end
FROM waits
ANTI JOIN ended ON ended.file = waits.file AND ended.recipient = waits.recipient
    AND ended.original_recipient IS NOT DISTINCT FROM waits.original_recipient
UNION
SELECT share.file  -- named at arrival, and under this name without an end
FROM share
ANTI JOIN linked USING (file)
ANTI JOIN ended ON ended.file = share.file AND ended.recipient = share.recipient AND ended.original_recipient IS NULL
WHERE share.kind = 'accepted'
UNION
SELECT ended.file  -- several recipients of which two may be one
FROM ended
SEMI JOIN several USING (file)
LEFT JOIN other_names ON other_names.address = ended.recipient
GROUP BY ended.file
HAVING count(DISTINCT recipient) < count(*)
    OR count(original_recipient) + count(other_names.address) + count(*) FILTER (contains(recipient, '+')) > 0;

CREATE OR REPLACE VIEW ends_of_share AS
SELECT
    ended.*, files.host, files.queue_id, files.arrived_at, files.sender, files.message_id,
    1 + coalesce(waits.attempts, 0) AS attempts,
    questioned.file IS NOT NULL AS is_questioned
FROM ended
JOIN files_of_share AS files USING (file)
LEFT JOIN waits
    ON waits.file = ended.file AND waits.recipient = ended.recipient
    AND waits.original_recipient IS NOT DISTINCT FROM ended.original_recipient
LEFT JOIN questioned ON questioned.file = ended.file;

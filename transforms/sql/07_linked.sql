-- Of which queue files is more to be asked than their own log file tells?
-- In:  events; files
-- Out: linked, those that are not orderly, or that a line, an id used again or the machine itself may tie to others
--
-- Rule: a line of a linked queue file names another that we know, or a line of another names it, or a queue listing
-- does; it came from the machine itself, or took over from a former file; its recipients were not counted, or not
-- announced, where its host counts or announces others'; or its id has other lines, in this log file or another, that are
-- no orderly queue file of another time.

CREATE OR REPLACE TABLE odd_arrivals AS  -- from the machine itself, or of a former queue file
SELECT host, queue_id
FROM events
WHERE kind = 'arrived' AND (
    coalesce(contains(client, '[127.0.0.1]') OR contains(client, '[::1]'), true)
    OR related_queue_id IS NOT NULL
);

CREATE OR REPLACE TABLE related AS  -- ids that a line or a queue listing names
SELECT related_queue_id AS queue_id FROM events WHERE related_queue_id IS NOT NULL
UNION
SELECT queue_id FROM events WHERE kind = 'snapshot';

CREATE OR REPLACE TABLE known AS  -- and that we have lines of
SELECT DISTINCT queue_id FROM files SEMI JOIN related USING (queue_id);

CREATE OR REPLACE TABLE naming AS
SELECT host, events.queue_id FROM events SEMI JOIN known ON known.queue_id = events.related_queue_id;

CREATE OR REPLACE TABLE counting AS  -- hosts that count recipients, after aliases are expanded, or announce them, before
SELECT host, bool_or(recipient_count IS NOT NULL) AS counts, bool_or(announced_count IS NOT NULL) AS announces
FROM files
GROUP BY host;

CREATE OR REPLACE TABLE entangled AS  -- ids of several queue files that can't be told apart by their times
WITH
several AS (SELECT host, queue_id FROM files GROUP BY host, queue_id HAVING count(*) > 1),
in_order AS (
    SELECT
        host, queue_id, is_orderly,
        lag(last_line_at) OVER (PARTITION BY host, queue_id ORDER BY first_line_at, last_line_at) >= first_line_at AS is_overlapped
    FROM files
    SEMI JOIN several USING (host, queue_id)
)
SELECT host, queue_id
FROM in_order
GROUP BY host, queue_id
HAVING NOT bool_and(is_orderly) OR bool_or(coalesce(is_overlapped, false));

CREATE OR REPLACE TABLE linked AS
SELECT file FROM files WHERE NOT is_orderly
UNION
SELECT file FROM files SEMI JOIN odd_arrivals USING (host, queue_id)
UNION
SELECT file FROM files SEMI JOIN naming USING (host, queue_id)
UNION
SELECT file FROM files SEMI JOIN known USING (queue_id)
UNION
SELECT file
FROM files
JOIN counting USING (host)
WHERE (counts AND recipient_count IS NULL) OR (announces AND announced_count IS NULL)
UNION
SELECT file FROM files SEMI JOIN entangled USING (host, queue_id);

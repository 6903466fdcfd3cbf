-- Which facts belong to one and the same queue file.
-- In:  events; long_files
-- Out: sources, one row per log file with its place in time; listings (one row); facts, one row per event about a queue
--      file that goes the long way, with the file's lifetime; queue_files, reused, lifetimes for the next step
--
-- Rule (trap 6): short queue ids are reused, so a queue file is host + id + lifetime. A lifetime begins with an
-- `arrived`, or with what follows an end and cannot belong to the ended file. A straggler (an attempt under way while
-- the operator deleted the file) stays with it. Identical lines of overlapping files are one fact.

CREATE OR REPLACE TABLE sources AS  -- in the order of their first stamp, whatever order they were given in
SELECT source_id, row_number() OVER (ORDER BY min(logged_at), max(logged_at), source_id) AS position
FROM events
WHERE kind <> 'snapshot'
GROUP BY source_id;

CREATE OR REPLACE TABLE listings AS  -- a queue listing bears no time of its own: it is taken at *as of*
SELECT count(*) > 0 AS is_there, max(logged_at) AS listed_at
FROM events
WHERE kind = 'snapshot';

-- Lines of the files that go the long way: held if they are few, so that they are not looked for again by each step.
SET VARIABLE are_few = (SELECT coalesce(sum(lines), 0) < 200000 FROM files SEMI JOIN long_files USING (file));

CREATE OR REPLACE VIEW sought AS
SELECT events.*
FROM events
SEMI JOIN long_files USING (host, queue_id)
WHERE queue_id IS NOT NULL AND kind NOT IN ('refused', 'snapshot');

CREATE OR REPLACE TABLE few_lines AS  -- by the id alone first: few ids reach the files' own index of what they hold
FROM sought SEMI JOIN long_files AS long ON long.queue_id = sought.queue_id WHERE getvariable('are_few');

CREATE OR REPLACE VIEW long_lines AS FROM few_lines UNION ALL FROM sought WHERE NOT getvariable('are_few');

CREATE OR REPLACE VIEW stated AS
SELECT lines.*, moment(logged_at, position, line_number) AS moment, 0 AS lifetime
FROM long_lines AS lines
JOIN sources USING (source_id);

CREATE OR REPLACE TABLE queue_files AS FROM queue_files_of('stated');  -- as if no id were used twice

CREATE OR REPLACE TABLE reused AS  -- nearly none is
SELECT host, queue_id, is_one_file
FROM queue_files
WHERE (arrivals > 1 OR ends > 1 OR has_end_first OR has_more_after_end OR has_more_before_arrival)
  AND NOT is_never_reused(queue_id);

CREATE OR REPLACE TABLE lifetimes AS  -- one row per fact about a reused id
WITH
told AS (
    SELECT
        lines.*, moment(logged_at, position, line_number) AS moment, is_one_file, position,
        count(*) OVER (PARTITION BY host, queue_id, source_id) AS lines_in_file
    FROM long_lines AS lines
    JOIN reused USING (host, queue_id)
    JOIN sources USING (source_id)
),
once AS (  -- overlapping files repeat lines: those of the file that tells most of the id give the order
    SELECT DISTINCT ON (host, queue_id, kind, logged_at, recipient, original_recipient, status, related_queue_id) * EXCLUDE (lines_in_file)
    FROM told
    ORDER BY lines_in_file DESC, position, line_number
),
in_order AS (  -- file order where one file holds them all, as clocks may jump; else time
    SELECT
        once.* EXCLUDE (is_one_file, position),
        row_number() OVER sequence AS place,
        lag(is_end(kind), 1, false) OVER sequence AS is_after_end,
        max(CASE WHEN is_end(kind) THEN logged_at END) OVER before AS ended_before_at,
        max(CASE WHEN kind = 'arrived' THEN logged_at END) OVER before AS arrived_before_at
    FROM once
    WINDOW
        sequence AS (
            PARTITION BY host, queue_id
            ORDER BY CASE WHEN is_one_file THEN NULL ELSE logged_at END, position, line_number
        ),
        before AS (
            PARTITION BY host, queue_id
            ORDER BY CASE WHEN is_one_file THEN NULL ELSE logged_at END, position, line_number
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
),
begun AS (
    SELECT
        *,
        CASE
            WHEN place = 1 OR kind = 'arrived' THEN true
            WHEN kind = 'named' THEN ended_before_at >= coalesce(arrived_before_at, ended_before_at)
            WHEN kind = 'queued' THEN is_after_end
            ELSE is_after_end AND arrival_by_delay(logged_at, delay_seconds) > ended_before_at + INTERVAL 2 SECOND
        END AS is_beginning
    FROM in_order
)
SELECT
    * EXCLUDE (place, is_after_end, ended_before_at, arrived_before_at, is_beginning),
    (sum(is_beginning::INTEGER) OVER (PARTITION BY host, queue_id ORDER BY place))::INTEGER AS lifetime
FROM begun;

CREATE OR REPLACE VIEW facts AS
SELECT * FROM stated ANTI JOIN reused USING (host, queue_id)
UNION ALL BY NAME
SELECT * FROM lifetimes;

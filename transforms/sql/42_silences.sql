-- When were hosts silent although their mail was not?
-- In:  events, legs, chains, judged; torn, fallen_silent, retry_habit
-- Out: silences, times of ten minutes or more without a fact from a host in which queue files must have written: they
--      began then, by their later lines, or should have been tried then and were not heard of again
--
-- Ten minutes are long for a server that has mail to tell of. It takes two files, as one file's line may be lost by
-- chance; but one is enough where the host has lost no other line: chance would have taken some of them too.

CREATE OR REPLACE TABLE silences AS
WITH
waiting AS (  -- queue files that hold mail of which no end is known
    SELECT DISTINCT silent.holder AS leg
    FROM judged AS silent
    ANTI JOIN (SELECT root, target FROM judged WHERE state IN ('delivered', 'lost', 'rejected_recipient')) AS ended USING (root, target)
    WHERE silent.is_silent AND silent.state = 'pending' AND NOT silent.is_ended
),
missed AS (
    SELECT host, arrived_at AS since_at, arrived_at AS until_at
    FROM legs
    SEMI JOIN torn USING (host)
    JOIN chains USING (leg)
    WHERE NOT has_arrival_line AND lifetime >= 0 AND depth = 0
    UNION ALL
    SELECT host, last_line_at, last_line_at + to_microseconds((seconds * 1000000)::BIGINT)
    FROM fallen_silent SEMI JOIN waiting USING (leg) CROSS JOIN retry_habit
),
written AS (
    SELECT DISTINCT host, date_trunc('minute', logged_at) AS minute_at
    FROM events SEMI JOIN missed USING (host)
    WHERE kind <> 'snapshot'
),
runs AS (
    SELECT host, minute_at + INTERVAL 1 MINUTE AS start_at, lead(minute_at) OVER (PARTITION BY host ORDER BY minute_at) AS end_at
    FROM written
    QUALIFY end_at >= start_at + INTERVAL 10 MINUTE
)
SELECT runs.host, runs.start_at, runs.end_at, count(*) AS files
FROM runs
JOIN missed ON missed.host = runs.host AND missed.until_at >= runs.start_at AND missed.since_at < runs.end_at
GROUP BY ALL
HAVING count(*) >= 2 OR runs.host NOT IN (FROM torn);

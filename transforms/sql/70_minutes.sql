-- Arrivals, ends, backlog and delay over time, with the bulk senders' share.
-- In:  deliveries, settings; variable step_seconds        Out: minutes
--
-- A delivery is in the backlog from its arrival until its end; one that is still open, until *as of*.

CREATE OR REPLACE TABLE minutes AS
WITH
stepped AS (
    SELECT
        time_bucket(to_seconds(getvariable('step_seconds')::BIGINT), arrived_at, TIMESTAMPTZ '2000-01-01 00:00:00Z') AS arrived_step,
        time_bucket(to_seconds(getvariable('step_seconds')::BIGINT), ended_at, TIMESTAMPTZ '2000-01-01 00:00:00Z') AS ended_step,
        is_bulk,
        delay_seconds
    FROM deliveries
),
arrivals AS (
    SELECT
        arrived_step AS start_at,
        count(*) AS arrivals,
        count(*) FILTER (is_bulk) AS arrivals_bulk,
        approx_quantile(delay_seconds, 0.5) AS delay_median_seconds,
        approx_quantile(delay_seconds, 0.95) AS delay_p95_seconds
    FROM stepped
    GROUP BY arrived_step
),
ends AS (
    SELECT ended_step AS start_at, count(*) AS ended, count(*) FILTER (is_bulk) AS ended_bulk
    FROM stepped
    WHERE ended_step IS NOT NULL
    GROUP BY ended_step
),
span AS (
    SELECT unnest(generate_series(min(start_at), max(start_at), to_seconds(getvariable('step_seconds')::BIGINT))) AS start_at
    FROM (SELECT start_at FROM arrivals UNION ALL SELECT start_at FROM ends)
)
SELECT
    start_at,
    getvariable('step_seconds')::BIGINT AS step_seconds,
    coalesce(arrivals, 0) AS arrivals,
    coalesce(arrivals_bulk, 0) AS arrivals_bulk,
    coalesce(ended, 0) AS ended,
    (sum(coalesce(arrivals, 0) - coalesce(ended, 0)) OVER so_far)::BIGINT AS backlog,
    (sum(coalesce(arrivals_bulk, 0) - coalesce(ended_bulk, 0)) OVER so_far)::BIGINT AS backlog_bulk,
    delay_median_seconds,
    delay_p95_seconds
FROM span
LEFT JOIN arrivals USING (start_at)
LEFT JOIN ends USING (start_at)
WINDOW so_far AS (ORDER BY start_at ROWS UNBOUNDED PRECEDING)
ORDER BY start_at;

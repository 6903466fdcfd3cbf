-- How long mail of the window took, with what is still waiting and what was lost.
-- In:  deliveries, windows, thresholds        Out: delays
--
-- Classes of delay are the steps people speak of (1 s, 10 s, 30 s, 1 min, ...) and the incident's own thresholds.
-- A class holds delays below its upper edge and at or above the edge before, so that "late at D" is a sum of classes.

CREATE OR REPLACE TABLE delays AS
WITH
edges AS (
    SELECT DISTINCT edge
    FROM (
        SELECT unnest([1, 10, 30, 60, 120, 300, 900, 1800, 3600, 7200, 14400, 28800, 57600, 86400, 172800, 432000]) AS edge
        UNION ALL
        SELECT threshold_seconds FROM thresholds
    )
),
classes AS (
    SELECT coalesce(lag(edge) OVER (ORDER BY edge), -1) AS at_least, edge AS below FROM edges
    UNION ALL
    SELECT max(edge), NULL FROM edges
),
placed AS (
    SELECT
        coalesce(deliveries.segment, 'unmatched') AS segment,
        is_bulk,
        classes.below AS at_most_seconds,
        count(*) FILTER (outcome = 'delivered') AS delivered,
        count(*) FILTER (outcome IN ('pending', 'unresolved')) AS pending,
        count(*) FILTER (outcome = 'lost') AS lost
    FROM deliveries
    JOIN windows ON windows.window_number = 0 AND arrived_at >= windows.start_at AND arrived_at < windows.end_at
    JOIN classes ON delay_seconds >= classes.at_least AND (classes.below IS NULL OR delay_seconds < classes.below)
    GROUP BY ALL
)
SELECT
    part.segment,
    choice.messages,
    at_most_seconds,
    sum(delivered)::BIGINT AS delivered,
    sum(pending)::BIGINT AS pending,
    sum(lost)::BIGINT AS lost
FROM placed
JOIN (VALUES ('all'), ('excluding_bulk')) AS choice (messages) ON choice.messages = 'all' OR NOT is_bulk
CROSS JOIN LATERAL (SELECT unnest([placed.segment, 'all']) AS segment) AS part
GROUP BY ALL
ORDER BY part.segment, choice.messages, at_most_seconds NULLS LAST;

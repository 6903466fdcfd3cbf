-- What waited in senders' queues because we turned it away in the window, by segment.
-- In:  sender_waits, windows, settings        Out: refusals
--
-- `late_only_with_wait`: late by the headline's threshold if the wait before us counted, which the grid does not do.

CREATE OR REPLACE TABLE refusals AS
WITH in_window AS (
    SELECT sender_waits.*
    FROM sender_waits JOIN windows ON window_number = 0 AND first_refused_at >= start_at AND first_refused_at < end_at
)
SELECT
    part.segment,
    choice.messages,
    count(*) AS waits,
    sum(refusals)::BIGINT AS refusals,
    count(accepted_at) AS accepted,
    count(*) - count(accepted_at) AS never_accepted,
    median(wait_seconds) AS median_wait_seconds,
    max(wait_seconds) AS longest_wait_seconds,
    count(*) FILTER (
        delay_seconds < headline_threshold_seconds AND wait_seconds + delay_seconds >= headline_threshold_seconds
    ) AS late_only_with_wait
FROM in_window
CROSS JOIN settings
JOIN (VALUES ('all'), ('excluding_bulk')) AS choice (messages) ON choice.messages = 'all' OR NOT is_bulk
CROSS JOIN LATERAL (SELECT unnest([coalesce(in_window.segment, 'unnamed'), 'all']) AS segment) AS part
GROUP BY ALL
ORDER BY part.segment, choice.messages;

-- What each account went through, by the headline's threshold and choice of messages.
-- In:  deliveries, windows, settings        Out: accounts

CREATE OR REPLACE TABLE accounts AS
WITH
chosen AS (
    SELECT
        deliveries.*,
        outcome IN ('delivered', 'pending') AND delay_seconds >= settings.headline_threshold_seconds AS is_late,
        settings.headline_messages = 'all' OR NOT is_bulk AS is_counted,
        settings.headline_count = 'late_or_lost' AS counts_lost
    FROM deliveries
    JOIN windows ON windows.window_number = 0 AND arrived_at >= windows.start_at AND arrived_at < windows.end_at
    CROSS JOIN settings
    WHERE mailbox IS NOT NULL
)
SELECT
    account_id,
    min(customer_id) AS customer_id,
    segment,
    count(DISTINCT mailbox) AS mailboxes,
    count(*) AS deliveries,
    count(*) FILTER (is_counted AND is_late) AS late_deliveries,
    count(*) FILTER (is_counted AND outcome = 'lost') AS lost_deliveries,
    count(*) FILTER (is_counted AND outcome = 'pending') AS pending_deliveries,
    coalesce(max(delay_seconds) FILTER (is_counted AND outcome IN ('delivered', 'pending')), 0) AS longest_delay_seconds,
    bool_or(is_counted AND (is_late OR (counts_lost AND outcome = 'lost'))) AS is_affected
FROM chosen
GROUP BY account_id, segment
ORDER BY account_id, segment;

-- Who could have been hit: what the records hold, and what of it had mail in the window.
-- In:  customer_records, deliveries, windows, settings        Out: people
--
-- Provisioned: on the records on any day of the window. Exposed: at least one delivery arrived in the window.

CREATE OR REPLACE TABLE people AS
WITH
days AS (
    SELECT
        (windows.start_at AT TIME ZONE settings.timezone)::DATE AS first_day,
        ((windows.end_at - INTERVAL 1 MICROSECOND) AT TIME ZONE settings.timezone)::DATE AS last_day
    FROM windows CROSS JOIN settings
    WHERE windows.window_number = 0
),
provisioned AS (
    SELECT 'provisioned' AS rung, segment, mailbox, account_id, customer_id
    FROM customer_records CROSS JOIN days
    WHERE coalesce(valid_from, DATE '0001-01-01') <= last_day AND coalesce(valid_to, DATE '9999-12-31') >= first_day
),
exposed AS (
    SELECT 'exposed' AS rung, segment, mailbox, account_id, customer_id
    FROM deliveries
    JOIN windows ON windows.window_number = 0 AND arrived_at >= windows.start_at AND arrived_at < windows.end_at
    WHERE mailbox IS NOT NULL
),
people AS (
    SELECT * FROM provisioned
    UNION ALL
    SELECT * FROM exposed
)
SELECT
    rung,
    part.segment,
    count(DISTINCT mailbox) AS mailbox,
    count(DISTINCT account_id) AS account,
    count(DISTINCT customer_id) AS customer
FROM people
CROSS JOIN LATERAL (SELECT unnest([people.segment, 'all']) AS segment) AS part
GROUP BY ALL
ORDER BY ALL;

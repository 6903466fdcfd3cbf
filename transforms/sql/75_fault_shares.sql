-- Late and lost mail of the window by whose fault it was and where it came from, by the headline's definition.
-- In:  deliveries, faults, windows, settings        Out: fault_shares
--
-- A mailbox or account counts under each fault and direction that it met, once in each, and once in `any`. `ours` is
-- what is left when the recipient's own faults and those of other servers are taken away.

CREATE OR REPLACE TABLE fault_shares AS
WITH
hit AS (
    SELECT
        coalesce(deliveries.segment, 'unmatched') AS segment, faults.direction, faults.fault, deliveries.mailbox, deliveries.account_id,
        count(*) AS deliveries
    FROM deliveries
    JOIN faults USING (message_key, mailbox_or_address)
    JOIN windows ON window_number = 0 AND deliveries.arrived_at >= start_at AND deliveries.arrived_at < end_at
    CROSS JOIN settings
    WHERE (headline_messages = 'all' OR NOT is_bulk)
      AND (outcome IN ('delivered', 'pending') AND delay_seconds >= headline_threshold_seconds OR outcome = 'lost' AND headline_count = 'late_or_lost')
    GROUP BY ALL
),
by_fault AS (
    SELECT * EXCLUDE (fault), unnest(['any', fault] || CASE WHEN fault IN ('recipient', 'remote') THEN [] ELSE ['ours'] END) AS fault
    FROM hit
),
by_direction AS (SELECT * EXCLUDE (direction), unnest([direction, 'any']) AS direction FROM by_fault),
by_segment AS (SELECT * EXCLUDE (segment), unnest([segment, 'all']) AS segment FROM by_direction)
SELECT
    segment,
    direction,
    fault,
    sum(deliveries)::BIGINT AS deliveries,
    count(DISTINCT mailbox) AS mailboxes,
    count(DISTINCT account_id) AS accounts
FROM by_segment
GROUP BY ALL
ORDER BY ALL;

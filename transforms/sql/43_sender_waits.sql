-- How long did mail wait in its sender's queue, because we had turned it away for the time being?
-- In:  events (kinds `refused` and `arrived`); deliveries; holders
-- Out: sender_waits, one row per client, sender and recipient, and message accepted in the end
--
-- Rule (trap 11): a temporary refusal (4xx) belongs to the next message that the same client brings from the same
-- sender for the same recipient within five days, the longest that a sender's queue usually holds mail. Where the
-- refusal names no sender (Sendmail), client and recipient must do; where it names no recipient, it belongs to none.
-- The wait is from the first refusal to the arrival; our own delay begins only then, and is never added to it.

-- A client by its network address; its name may change from one connection to the next.
CREATE OR REPLACE MACRO client_of(client) AS coalesce(nullif(regexp_extract(client, '\[([^\]]+)\]', 1), ''), client);

CREATE OR REPLACE TABLE sender_waits AS
WITH
refused AS (  -- a line that overlapping files repeat is one
    SELECT DISTINCT client_of(client) AS client, sender, recipient, logged_at AS refused_at, host, reply
    FROM events
    WHERE kind = 'refused'
),
arrivals AS (
    SELECT DISTINCT host, queue_id, logged_at, client_of(client) AS client
    FROM events
    WHERE kind = 'arrived' AND EXISTS (FROM refused)
),
accepted AS (
    SELECT arrivals.client, deliveries.sender, deliveries.address, deliveries.arrived_at, message_key, segment, is_bulk, delay_seconds
    FROM deliveries
    SEMI JOIN refused ON refused.recipient = deliveries.address
    JOIN arrivals
        ON arrivals.host = deliveries.host AND arrivals.queue_id = deliveries.queue_id AND arrivals.logged_at = deliveries.arrived_at
),
paired AS (  -- each refusal with the message that it belongs to, or none
    SELECT refused.*, accepted.* EXCLUDE (client, sender, address)
    FROM refused
    LEFT JOIN accepted
        ON accepted.client = refused.client AND accepted.address = refused.recipient
        AND (refused.sender IS NULL OR accepted.sender = refused.sender)
        AND accepted.arrived_at >= refused.refused_at AND accepted.arrived_at <= refused.refused_at + INTERVAL 5 DAY
    QUALIFY row_number() OVER (
        PARTITION BY refused.client, refused.sender, refused.recipient, refused.refused_at, refused.host, refused.reply
        ORDER BY accepted.arrived_at, accepted.message_key
    ) = 1
)
SELECT
    paired.client,
    paired.sender,
    paired.recipient,
    count(*) AS refusals,
    min(refused_at) AS first_refused_at,
    max(refused_at) AS last_refused_at,
    nullif(regexp_extract(arg_min(reply, (refused_at, reply)), '^[0-9]{3}(?:[ -][0-9]\.[0-9]+\.[0-9]+)?'), '') AS reply_code,
    coalesce(any_value(paired.segment), any_value(holders.segment), CASE WHEN paired.recipient IS NOT NULL THEN 'unmatched' END) AS segment,
    coalesce(bool_or(is_bulk), false) AS is_bulk,
    message_key,
    any_value(arrived_at) AS accepted_at,
    seconds_between(min(refused_at), any_value(arrived_at)) AS wait_seconds,
    any_value(delay_seconds) AS delay_seconds
FROM paired
CROSS JOIN settings
LEFT JOIN holders
    ON holders.address = paired.recipient
    AND (refused_at AT TIME ZONE settings.timezone)::DATE BETWEEN holders.valid_from AND holders.valid_to
GROUP BY paired.client, paired.sender, paired.recipient, message_key;

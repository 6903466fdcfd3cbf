-- Whose fault is it that a delivery was late or lost?
-- In:  deliveries, legs, chains, hop_relays, events; thresholds, local_domains, settings
-- Out: faults, one row per delivery that is late at the lowest threshold, or lost
--
-- Rule: the time from arrival to the end (or as of) is cut at every attempt, hold and release. What follows a deferral
-- belongs to whom its reply blames; an attempt's own connection and transmission (parts c and d of the delay) belong to
-- its next hop; all else is our queue's. Whoever kept the mail longest has the fault; of a bounced or deleted delivery,
-- whoever ended it. Direction is by the sender's domain: `internal` if it is one of ours, else `inbound`.

-- Whom a reply blames, by its enhanced status code (RFC 3463) or the words of the common servers. A refusal by the
-- recipient's own mailbox is not the platform's fault; one by a rule is the rule's; all else is the next hop's.
CREATE OR REPLACE MACRO blamed(dsn, reply) AS CASE
    WHEN regexp_matches(coalesce(dsn, ''), '^[45]\.(2\.[12]|1\.[0-9]+)$') THEN 'recipient'
    WHEN regexp_matches(lower(coalesce(reply, '')), 'mailbox (is )?full|quota|user unknown|unknown user|no such (user|mailbox)') THEN 'recipient'
    WHEN regexp_matches(coalesce(dsn, ''), '^[45]\.7\.[0-9]+$') THEN 'our_policy'
    WHEN regexp_matches(lower(coalesce(reply, '')), 'gr[ae]ylist|policy|blocked|spam|virus|content rejected') THEN 'our_policy'
    ELSE 'our_store'
END;

CREATE OR REPLACE TABLE faults AS
WITH
hit AS (
    SELECT
        row_number() OVER () AS hit, message_key, mailbox_or_address, host, queue_id, sender, address, mailbox, arrived_at, outcome,
        coalesce(ended_at, settings.as_of) AS until_at
    FROM deliveries
    CROSS JOIN settings
    WHERE mailbox_or_address IS NOT NULL
      AND (outcome = 'lost' OR outcome IN ('delivered', 'pending') AND delay_seconds >= (SELECT min(threshold_seconds) FROM thresholds))
),
stations AS (  -- the queue files that each message passed through
    SELECT DISTINCT hit, legs.host, legs.queue_id
    FROM hit
    JOIN legs AS first_leg ON first_leg.host = hit.host AND first_leg.queue_id = hit.queue_id AND first_leg.arrived_at = hit.arrived_at
    JOIN chains AS first_chain ON first_chain.leg = first_leg.leg
    JOIN chains ON chains.root = first_chain.root
    JOIN legs ON legs.leg = chains.leg
    UNION
    SELECT hit, host, queue_id FROM hit
),
told AS (  -- what the log says of each of them, for this recipient or for all
    SELECT
        hit.hit, hit.arrived_at, hit.until_at, hit.outcome, events.kind, events.logged_at, events.dsn, events.reply, events.status, events.source_id, events.line_number,
        coalesce(connect_seconds, 0) + coalesce(transmit_seconds, 0) AS hop_seconds,
        hop_relays.relay IS NOT NULL AS is_hop_ours,
        coalesce(local_domains.domain IS NULL AND events.recipient IS NOT NULL, false) AS is_remote
    FROM stations
    JOIN hit USING (hit)
    JOIN events ON events.host = stations.host AND events.queue_id = stations.queue_id
    LEFT JOIN hop_relays ON hop_relays.host = events.host AND hop_relays.relay = events.relay
    LEFT JOIN local_domains ON local_domains.domain = domain_of(events.recipient)
    WHERE events.logged_at BETWEEN hit.arrived_at AND hit.until_at
      AND (
          events.kind IN ('held', 'released', 'deleted')
          OR events.kind = 'attempted' AND (
              events.recipient IN (hit.mailbox_or_address, hit.address) OR events.original_recipient IN (hit.mailbox_or_address, hit.address)
          )
      )
),
marks AS (
    SELECT
        *,
        CASE
            WHEN is_remote THEN 'remote'
            WHEN is_hop_ours THEN 'our_queue'
            ELSE 'our_store'
        END AS hop,
        CASE
            WHEN kind = 'held' THEN 'our_policy'
            WHEN kind = 'attempted' AND status = 'deferred' AND is_remote THEN 'remote'
            WHEN kind = 'attempted' AND status = 'deferred' AND is_hop_ours THEN 'our_queue'
            WHEN kind = 'attempted' AND status = 'deferred' THEN blamed(dsn, reply)
            ELSE 'our_queue'
        END AS keeps_next
    FROM told
),
cuts AS (
    SELECT
        *,
        seconds_between(lag(logged_at, 1, arrived_at) OVER each_hit, logged_at) AS seconds,
        lag(keeps_next, 1, 'our_queue') OVER each_hit AS keeper,
        lag(source_id) OVER each_hit AS keeper_source_id,
        lag(line_number) OVER each_hit AS keeper_line_number
    FROM marks
    WINDOW each_hit AS (PARTITION BY hit ORDER BY logged_at, line_number, source_id)
),
spent AS (
    SELECT hit, keeper AS fault, greatest(0, seconds - hop_seconds) AS seconds, keeper_source_id AS source_id, keeper_line_number AS line_number FROM cuts
    UNION ALL
    SELECT hit, hop, least(seconds, hop_seconds), source_id, line_number FROM cuts WHERE hop_seconds > 0
    UNION ALL  -- and since the last of them
    SELECT hit, arg_max(keeps_next, (logged_at, line_number)), seconds_between(max(logged_at), any_value(until_at)),
        arg_max(source_id, (logged_at, line_number)), arg_max(line_number, (logged_at, line_number))
    FROM marks GROUP BY hit
    UNION ALL  -- never tried
    SELECT hit, 'our_queue', seconds_between(arrived_at, until_at), NULL, NULL FROM hit ANTI JOIN marks USING (hit)
),
kept AS (
    SELECT hit, fault, sum(seconds) AS seconds, arg_max(source_id, seconds) AS source_id, arg_max(line_number, seconds) AS line_number
    FROM spent GROUP BY hit, fault
),
ends AS (  -- who ended what was lost
    SELECT
        hit,
        CASE WHEN bool_or(kind = 'deleted' OR status = 'discarded') THEN 'our_policy' ELSE arg_max(CASE WHEN is_remote THEN 'remote' ELSE blamed(dsn, reply) END, (logged_at, line_number)) END AS fault,
        arg_max(source_id, (logged_at, line_number)) AS source_id,
        arg_max(line_number, (logged_at, line_number)) AS line_number
    FROM marks
    WHERE outcome = 'lost' AND (kind = 'deleted' OR status IN ('bounced', 'discarded'))
    GROUP BY hit
)
SELECT
    hit.message_key,
    hit.mailbox_or_address,
    CASE WHEN domain_of(hit.sender) IN (FROM local_domains) THEN 'internal' ELSE 'inbound' END AS direction,
    coalesce(any_value(ends.fault), arg_max(kept.fault, (kept.seconds, kept.fault))) AS fault,
    coalesce(sum(kept.seconds) FILTER (kept.fault = 'our_queue'), 0) AS our_queue_seconds,
    coalesce(sum(kept.seconds) FILTER (kept.fault = 'our_store'), 0) AS our_store_seconds,
    coalesce(sum(kept.seconds) FILTER (kept.fault = 'our_policy'), 0) AS our_policy_seconds,
    coalesce(sum(kept.seconds) FILTER (kept.fault = 'recipient'), 0) AS recipient_seconds,
    coalesce(sum(kept.seconds) FILTER (kept.fault = 'remote'), 0) AS remote_seconds,
    CASE WHEN any_value(ends.fault) IS NULL THEN arg_max(kept.source_id, kept.seconds) ELSE any_value(ends.source_id) END AS source_id,
    CASE WHEN any_value(ends.fault) IS NULL THEN arg_max(kept.line_number, kept.seconds) ELSE any_value(ends.line_number) END AS line_number
FROM hit
JOIN kept USING (hit)
LEFT JOIN ends USING (hit)
GROUP BY hit.hit, hit.message_key, hit.mailbox_or_address, hit.sender;

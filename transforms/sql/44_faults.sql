-- Whose fault is it that a delivery was late or lost?
-- In:  deliveries, legs, chains, hop_relays, events; thresholds, local_domains, settings
-- Out: faults, one row per delivery that is late at the lowest threshold, or lost
--
-- Rule: the time from arrival to the end (or as of) is cut at every attempt, hold and release. What follows a deferral
-- belongs to whom its reply blames; an attempt's own connection and transmission (parts c and d of the delay) belong to
-- its next hop; all else is our queue's. Whoever kept the mail longest has the fault; of a bounced or deleted delivery,
-- whoever ended it. Direction is by the sender's domain: `internal` if it is one of ours, else `inbound`.

-- Whom a reply blames, by its enhanced status code (RFC 3463); where that says nothing, by the words of the common
-- servers. A refusal by the recipient's own mailbox is not the platform's fault; one by a rule is the rule's; all else is
-- the next hop's.
CREATE OR REPLACE MACRO blamed(dsn, reply) AS CASE
    WHEN substr(dsn, 2) IN ('.2.1', '.2.2') OR substr(dsn, 2, 3) = '.1.' THEN 'recipient'
    WHEN substr(dsn, 2, 3) = '.7.' THEN 'our_policy'
    WHEN substr(dsn, 2) <> '.0.0' THEN 'our_store'
    WHEN regexp_matches(lower(reply), 'mailbox (is )?full|quota|user unknown|unknown user|no such (user|mailbox)') THEN 'recipient'
    WHEN regexp_matches(lower(reply), 'gr[ae]ylist|policy|blocked|spam|virus|content rejected') THEN 'our_policy'
    ELSE 'our_store'
END;

-- Of the spans between marks, what one of them kept: all but the hop's own time, and of that what it was the hop of.
CREATE OR REPLACE MACRO kept_by(who, keeper, seconds, hop, hop_seconds) AS
    sum(CASE WHEN keeper = who THEN seconds - hop_seconds ELSE 0 END) + sum(CASE WHEN hop = who THEN hop_seconds ELSE 0 END);

-- Whoever can have a fault, as small numbers rather than words.
CREATE OR REPLACE MACRO party(name) AS name::ENUM ('our_queue', 'our_store', 'our_policy', 'recipient', 'remote');

CREATE OR REPLACE TABLE faults AS
WITH
hit AS (
    SELECT
        row_number() OVER () AS hit, message_key, mailbox_or_address, host, queue_id, sender, address, arrived_at, outcome,
        coalesce(ended_at, settings.as_of) AS until_at
    FROM deliveries
    CROSS JOIN settings
    WHERE mailbox_or_address IS NOT NULL
      AND (outcome = 'lost' OR outcome IN ('delivered', 'pending') AND delay_seconds >= list_min(getvariable('thresholds_seconds')))
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
        hit, hit.outcome, events.kind, status, dsn, reply, logged_at, line_number,
        coalesce(connect_seconds, 0) + coalesce(transmit_seconds, 0) AS hop_seconds,
        party(CASE
            WHEN events.recipient IS NOT NULL AND split_part(events.recipient, '@', -1) NOT IN (FROM local_domains) THEN 'remote'
            WHEN hop_relays.relay IS NOT NULL THEN 'our_queue'
        END) AS other_hop
    FROM stations
    JOIN hit USING (hit)
    JOIN events ON events.host = stations.host AND events.queue_id = stations.queue_id
    LEFT JOIN hop_relays ON hop_relays.host = events.host AND hop_relays.relay = events.relay
    WHERE logged_at BETWEEN hit.arrived_at AND hit.until_at
      AND (
          events.kind IN ('held', 'released', 'deleted')
          OR events.kind = 'attempted' AND (
              events.recipient IN (mailbox_or_address, address) OR events.original_recipient IN (mailbox_or_address, address)
          )
      )
),
marks AS (
    SELECT
        hit, logged_at, line_number, hop_seconds,
        coalesce(other_hop, party('our_store')) AS hop,
        CASE
            WHEN kind = 'held' THEN party('our_policy')
            WHEN kind = 'attempted' AND status = 'deferred' THEN coalesce(other_hop, party(blamed(dsn, reply)))
            ELSE party('our_queue')
        END AS keeps_next,
        CASE
            WHEN outcome <> 'lost' THEN NULL
            WHEN kind = 'deleted' OR status = 'discarded' THEN party('our_policy')
            WHEN status = 'bounced' THEN coalesce(other_hop, party(blamed(dsn, reply)))
        END AS ended_by
    FROM told
    UNION ALL  -- arrival and end are marks too
    SELECT hit, arrived_at, -1, 0, NULL, party('our_queue'), NULL FROM hit
    UNION ALL
    SELECT hit, until_at, 1::BIGINT << 62, 0, NULL, NULL, NULL FROM hit
),
cuts AS (  -- from each mark to the next
    SELECT
        hit, hop, ended_by,
        lag(keeps_next) OVER each_hit AS keeper,
        greatest(0, seconds_between(lag(logged_at) OVER each_hit, logged_at)) AS seconds,
        least(hop_seconds, seconds) AS hop_seconds
    FROM marks
    WINDOW each_hit AS (PARTITION BY hit ORDER BY logged_at, line_number)
),
kept AS (
    SELECT
        hit,
        max(ended_by::VARCHAR) AS ended_by,
        kept_by('our_queue', keeper, seconds, hop, hop_seconds) AS our_queue_seconds,
        kept_by('our_store', keeper, seconds, hop, hop_seconds) AS our_store_seconds,
        kept_by('our_policy', keeper, seconds, hop, hop_seconds) AS our_policy_seconds,
        kept_by('recipient', keeper, seconds, hop, hop_seconds) AS recipient_seconds,
        kept_by('remote', keeper, seconds, hop, hop_seconds) AS remote_seconds
    FROM cuts
    WHERE keeper IS NOT NULL
    GROUP BY hit
)
SELECT
    message_key,
    mailbox_or_address,
    CASE WHEN split_part(sender, '@', -1) IN (FROM local_domains) THEN 'internal' ELSE 'inbound' END AS direction,
    coalesce(ended_by, CASE greatest(our_queue_seconds, our_store_seconds, our_policy_seconds, recipient_seconds, remote_seconds)
        WHEN our_store_seconds THEN 'our_store'
        WHEN our_queue_seconds THEN 'our_queue'
        WHEN our_policy_seconds THEN 'our_policy'
        WHEN recipient_seconds THEN 'recipient'
        ELSE 'remote'
    END) AS fault,
    our_queue_seconds,
    our_store_seconds,
    our_policy_seconds,
    recipient_seconds,
    remote_seconds
FROM kept
JOIN hit USING (hit);

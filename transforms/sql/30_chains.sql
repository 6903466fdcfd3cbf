-- Which legs carry one and the same message.
-- In:  legs, leg_recipients, facts; handing_back
-- Out: former_legs, one row per leg that names the one before it; replies, one row per leg recipient whose reply names
--      a later leg; hops, one row per leg recipient that was handed on to a later leg; chains, one row per leg with its
--      root; hop_relays, the next hops that hand mail back to the platform
--
-- Rules (trap 4): a reply that names a queue file we know is a hand-over, not a delivery; else `orig_id=` or
-- `orig_queue_id=` on the later leg's arrival names the former one, the one after a requeue (no client brought it), the
-- other behind a filter; else the same Message-ID, for a leg that came from
-- the machine itself for a recipient that the former leg had handed to it. A filter that sends several recipients on in
-- files of their own names one of these in its one reply: whom that file neither names nor has room for is in the file
-- that bears the same Message-ID and names them. Legs chain as long as they like; the first is the message.
-- Non-delivery notices are the platform's own: no message of anybody.

CREATE OR REPLACE TABLE former_legs AS  -- `orig_id=`, `orig_queue_id=`
SELECT child.leg AS child, parent.leg, child.client IS NULL AS is_requeued, child.arrived_at, child.first_moment
FROM legs AS child
JOIN legs AS parent
    ON parent.queue_id = child.former_queue_id
    AND parent.host = child.host
    AND parent.leg <> child.leg
    AND parent.arrived_at <= child.arrived_at + INTERVAL 5 SECOND
    AND coalesce(child.message_id = parent.message_id, true)
WHERE child.former_queue_id IS NOT NULL
QUALIFY row_number() OVER (  -- the id of a file that was requeued may be used again within seconds
    PARTITION BY child.leg
    ORDER BY child.client IS NULL AND coalesce(parent.end_kind = 'requeued', false) DESC, parent.arrived_at DESC, parent.first_moment DESC
) = 1;

CREATE OR REPLACE TABLE replies AS  -- 1. `queued as ID`, `forwarded as ID`
SELECT
    given.leg_recipient,
    given.leg,
    child.leg AS child
FROM leg_recipients AS given
JOIN legs AS parent USING (leg)
JOIN legs AS child
    ON child.queue_id = given.next_queue_id
    AND child.leg <> parent.leg
    AND child.arrived_at >= parent.arrived_at - CASE WHEN child.host = parent.host THEN INTERVAL 5 SECOND ELSE INTERVAL 5 MINUTE END
    AND child.arrived_at <= given.final_at + CASE WHEN child.host = parent.host THEN INTERVAL 5 SECOND ELSE INTERVAL 5 MINUTE END
    AND coalesce(child.message_id = parent.message_id, true)
WHERE given.next_queue_id IS NOT NULL AND given.final_status IN ('sent', 'forwarded')
QUALIFY row_number() OVER (
    PARTITION BY given.leg_recipient
    ORDER BY child.host = parent.host DESC, child.arrived_at DESC, child.first_moment DESC
) = 1;

CREATE OR REPLACE TABLE hops AS
WITH
taken_over AS (  -- 2. the former leg is named by the later one
    SELECT given.leg_recipient, given.leg, former_legs.child
    FROM former_legs
    JOIN leg_recipients AS given USING (leg)
    ANTI JOIN replies USING (leg_recipient)
    LEFT JOIN (SELECT DISTINCT leg, unnest([recipient, original_recipient]) AS name FROM leg_recipients) AS taken
        ON taken.leg = former_legs.child AND taken.name = given.recipient
    WHERE CASE
        WHEN former_legs.is_requeued THEN NOT given.is_ended  -- picked up again: whoever was still waiting
        ELSE given.final_status = 'sent' AND taken.name IS NOT NULL  -- filtered: whom the later leg names
    END
    QUALIFY row_number() OVER (PARTITION BY given.leg_recipient ORDER BY former_legs.arrived_at, former_legs.first_moment) = 1
),
orphans AS (
    SELECT leg, host, message_id, arrived_at, first_moment
    FROM legs
    ANTI JOIN (SELECT child AS leg FROM replies UNION ALL SELECT child FROM former_legs) AS children USING (leg)
    WHERE message_id IS NOT NULL
      AND message_id <> ''
      AND (client IS NULL OR contains(client, '[127.0.0.1]') OR contains(client, '[::1]'))
),
alike AS (  -- Message-IDs that more than one leg bears
    SELECT host, message_id FROM legs WHERE message_id IS NOT NULL GROUP BY host, message_id HAVING count(*) > 1
),
named_alike AS (  -- 3. the same Message-ID
    SELECT given.leg_recipient, given.leg, orphans.leg AS child
    FROM orphans
    SEMI JOIN alike USING (host, message_id)
    JOIN legs AS parent
        ON parent.message_id = orphans.message_id
        AND parent.host = orphans.host
        AND (parent.arrived_at, parent.first_moment) < (orphans.arrived_at, orphans.first_moment)
    JOIN leg_recipients AS given ON given.leg = parent.leg AND given.final_status IN ('sent', 'forwarded')
    ANTI JOIN taken_over USING (leg_recipient)
    ANTI JOIN replies AS back ON back.leg = orphans.leg AND back.child = given.leg
    JOIN leg_recipients AS taken
        ON taken.leg = orphans.leg
        AND (taken.recipient = given.recipient OR taken.original_recipient = given.recipient)
    WHERE orphans.arrived_at <= given.final_at + INTERVAL 60 SECOND
    QUALIFY row_number() OVER (PARTITION BY given.leg_recipient ORDER BY orphans.arrived_at, orphans.first_moment) = 1
),
strangers AS (  -- whom the file in the reply doesn't name
    SELECT replies.*
    FROM replies
    SEMI JOIN (SELECT child FROM replies SEMI JOIN named_alike USING (leg_recipient)) AS asked USING (child)
    JOIN leg_recipients AS given USING (leg_recipient)
    ANTI JOIN leg_recipients AS taken
        ON taken.leg = replies.child
        AND (taken.recipient = given.recipient OR taken.original_recipient = given.recipient)
),
full_files AS (  -- with fewer places than strangers
    SELECT strangers.child
    FROM (SELECT child, count(*) AS rows FROM strangers GROUP BY child) AS strangers
    JOIN legs ON legs.leg = strangers.child
    LEFT JOIN (SELECT leg, count(*) AS rows FROM leg_recipients GROUP BY leg) AS known ON known.leg = strangers.child
    WHERE coalesce(legs.recipient_count, known.rows, 0) - coalesce(known.rows, 0) < strangers.rows
),
parted AS (SELECT leg_recipient FROM strangers SEMI JOIN full_files USING (child))
SELECT *, 'reply' AS rule
FROM replies
ANTI JOIN (SELECT leg_recipient FROM named_alike SEMI JOIN parted USING (leg_recipient)) AS elsewhere USING (leg_recipient)
UNION ALL
SELECT *, 'former_id' FROM taken_over
UNION ALL
SELECT *, 'message_id'
FROM named_alike
ANTI JOIN (SELECT leg_recipient FROM replies ANTI JOIN parted USING (leg_recipient)) AS replied USING (leg_recipient);

CREATE OR REPLACE TABLE chains AS
WITH RECURSIVE
links AS (
    SELECT child, arg_min(leg, (arrived_at, first_moment)) AS parent
    FROM (
        SELECT child, leg FROM hops
        UNION ALL
        SELECT child, leg FROM replies
        UNION ALL
        SELECT child, leg FROM former_legs
    )
    JOIN legs USING (leg)
    GROUP BY child
),
chain AS (
    SELECT leg, leg AS root, 0 AS depth
    FROM legs
    ANTI JOIN links ON links.child = legs.leg
    UNION ALL
    SELECT links.child, chain.root, chain.depth + 1
    FROM chain
    JOIN links ON links.parent = chain.leg
),
notices AS (  -- the queue file nearest to the line that names it, as its id may be used again within seconds
    SELECT DISTINCT leg
    FROM (
        SELECT legs.leg
        FROM facts
        JOIN legs
            ON legs.host = facts.host
            AND legs.queue_id = facts.related_queue_id
            AND legs.arrived_at BETWEEN facts.logged_at - INTERVAL 10 SECOND AND facts.logged_at + INTERVAL 10 SECOND
        WHERE facts.kind = 'notified'
        QUALIFY row_number() OVER (
            PARTITION BY legs.host, legs.queue_id, facts.logged_at
            ORDER BY abs(seconds_between(facts.logged_at, legs.arrived_at)), legs.arrived_at, legs.first_moment
        ) = 1
    )
),
rooted AS (
    SELECT leg, root, depth FROM chain
    UNION ALL
    SELECT leg, leg AS root, 0 AS depth FROM legs ANTI JOIN chain USING (leg)  -- links in a circle: hostile or torn
)
SELECT rooted.leg, rooted.root, rooted.depth, notices.leg IS NOT NULL AS is_notice
FROM rooted
LEFT JOIN notices ON notices.leg = rooted.root;

CREATE OR REPLACE TABLE hop_relays AS
SELECT legs.host, given.relay AS relay
FROM leg_recipients AS given
JOIN legs USING (leg)
SEMI JOIN handing_back ON handing_back.host = legs.host AND handing_back.relay = given.relay
LEFT JOIN hops USING (leg_recipient)
WHERE given.final_status = 'sent'
GROUP BY ALL
HAVING count(hops.child) > count(*) / 2;

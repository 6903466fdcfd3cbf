-- One row per delivery: a message for a recipient mailbox in a local domain.
-- In:  roots, recipient_rows, plain_ends, plain_rows; legs, leg_recipients, hops, chains, hop_relays, listings; torn, fallen_silent,
--      handing_hosts, last_legs, doubted_roots, shared_ends, uncounted; settings, bulk_senders
-- Out: all_deliveries, kept as `deliveries`
--
-- Rules: see docs/methodology.md, "What became of a delivery". The end of a plain queue file's recipient is the end of
-- a delivery. Every join below is many-to-one unless it says otherwise.

-- The queue file that holds a requeued file's recipients now: the end of its chain of requeues.
CREATE OR REPLACE TABLE heirs AS
WITH RECURSIVE
requeued AS (
    SELECT parent.leg, former_legs.child
    FROM former_legs JOIN legs AS parent USING (leg)
    WHERE parent.end_kind = 'requeued' AND former_legs.is_requeued
    QUALIFY row_number() OVER (PARTITION BY parent.leg ORDER BY former_legs.arrived_at, former_legs.first_moment) = 1
),
walk AS (
    SELECT leg, child, 1 AS steps FROM requeued
    UNION ALL
    SELECT walk.leg, requeued.child, walk.steps + 1
    FROM walk JOIN requeued ON requeued.leg = walk.child
    WHERE walk.steps < 50
)
SELECT leg, arg_max(child, steps) AS heir FROM walk GROUP BY leg;

-- Names under which a message's later legs know a recipient.
CREATE OR REPLACE TABLE names AS
SELECT root, name, max(depth) AS depth
FROM (
    SELECT root, recipient AS name, depth FROM recipient_rows
    UNION ALL
    SELECT root, original_recipient, depth FROM recipient_rows WHERE original_recipient IS NOT NULL
    UNION ALL
    SELECT root, mailbox, depth FROM recipient_rows WHERE mailbox IS NOT NULL
)
WHERE depth > 0
GROUP BY root, name;

CREATE OR REPLACE TABLE judged AS
WITH
known AS (
    SELECT leg, count(*) AS recipients, max(last_at) AS last_at FROM leg_recipients GROUP BY leg
),
tried AS (  -- names under which a leg tried a recipient that it was also told of at arrival or in a queue listing
    SELECT leg, name, bool_or(is_target) AS is_target
    FROM (
        SELECT leg, original_recipient AS name, false AS is_target FROM recipient_rows WHERE attempts > 0
        UNION ALL
        SELECT leg, target, true FROM recipient_rows WHERE attempts > 0
    )
    SEMI JOIN (SELECT DISTINCT leg FROM recipient_rows WHERE attempts = 0) AS told USING (leg)
    GROUP BY leg, name
),
placed AS (  -- the leg in which each row's recipient waits or ended
    SELECT
        rows.*,
        coalesce(heirs.heir, rows.child, rows.leg) AS holder,
        rows.child IS NOT NULL AND (
            coalesce(by_recipient.depth > rows.depth, false) OR coalesce(by_target.depth > rows.depth, false)
        ) AS is_named_later,
        rows.attempts = 0 AND NOT rows.is_ended AND CASE
            WHEN rows.is_replaced THEN true
            WHEN NOT rows.is_replaced THEN coalesce(tried_for.is_target, false)
            ELSE tried_as.leg IS NOT NULL OR tried_for.leg IS NOT NULL
        END AS is_tried_by_name
    FROM recipient_rows AS rows
    LEFT JOIN tried AS tried_as ON tried_as.leg = rows.leg AND tried_as.name = rows.recipient
    LEFT JOIN tried AS tried_for ON tried_for.leg = rows.leg AND tried_for.name = rows.target
    LEFT JOIN heirs ON heirs.leg = coalesce(rows.child, rows.leg)
    LEFT JOIN names AS by_recipient ON by_recipient.root = rows.root AND by_recipient.name = rows.recipient
    LEFT JOIN names AS by_target ON by_target.root = rows.root AND by_target.name = rows.target
)
SELECT
    placed.*,
    CASE
        WHEN is_named_later OR is_tried_by_name THEN 'handed_on'
        -- alias and mailbox, both named, became one recipient of the later leg
        WHEN child IS NOT NULL AND holding.end_kind = 'removed' AND coalesce(known.recipients, 0) >= coalesce(holding.recipient_count, 1) THEN 'handed_on'
        WHEN child IS NULL AND final_status = 'sent' AND hop_relays.relay IS NOT NULL THEN 'unresolved'
        WHEN child IS NULL AND final_status IN ('sent') THEN 'delivered'
        WHEN child IS NULL AND final_status = 'forwarded' AND own.host <> '' THEN 'unresolved'
        WHEN child IS NULL AND final_status = 'bounced' AND is_unknown_mailbox(dsn, reply) THEN 'rejected_recipient'
        WHEN child IS NULL AND final_status IN ('bounced', 'expired', 'discarded') THEN 'lost'
        WHEN holding.expired_at IS NOT NULL OR holding.end_kind IN ('deleted', 'ended') THEN 'lost'
        WHEN holding.ended_at IS NOT NULL THEN 'unresolved'
        WHEN holding.is_listed THEN 'pending'
        WHEN listings.is_there AND holding.last_line_at < listings.listed_at - INTERVAL 10 SECOND THEN 'unresolved'
        ELSE 'pending'
    END AS state,
    CASE WHEN child IS NULL AND is_ended THEN placed.final_at ELSE coalesce(holding.expired_at, holding.ended_at) END AS state_at,
    holding.is_listed AS is_listed,
    -- the file's lines tell of a recipient's wait only where it has no other
    CASE WHEN holding.recipient_count = 1 THEN greatest(placed.last_at, holding.last_line_at) ELSE placed.last_at END AS seen_at,
    fallen_silent.leg IS NOT NULL OR torn.host IS NOT NULL AND (  -- others of the file were tried after it
        (child IS NULL AND known.last_at > placed.last_at + INTERVAL 1 MINUTE) OR (child IS NOT NULL AND known.recipients > 0)
    ) AS is_silent,
    -- a queue file goes when everybody's mail has gone, unless it was handed on inside the platform
    CASE WHEN holding.end_kind = 'removed' AND (handing_hosts.host IS NULL OR last_legs.leg IS NOT NULL) THEN holding.ended_at END AS closed_at
FROM placed
JOIN legs AS holding ON holding.leg = placed.holder
JOIN legs AS own ON own.leg = placed.leg
LEFT JOIN known ON known.leg = placed.holder
LEFT JOIN hop_relays ON hop_relays.host = own.host AND hop_relays.relay = placed.relay
LEFT JOIN handing_hosts ON handing_hosts.host = holding.host
LEFT JOIN last_legs ON last_legs.leg = placed.holder
LEFT JOIN fallen_silent ON fallen_silent.leg = placed.holder
LEFT JOIN torn ON torn.host = own.host
CROSS JOIN listings;

-- Recipients that the log counts (`nrcpt=`) and never names.
CREATE OR REPLACE TABLE nameless AS
WITH
known AS (
    SELECT leg, count(*) AS recipients
    FROM (
        SELECT leg FROM leg_recipients
        UNION ALL
        SELECT holder FROM judged WHERE child IS NOT NULL AND state <> 'handed_on'
    )
    GROUP BY leg
)
SELECT
    chains.root,
    legs.leg,
    legs.arrived_at,
    legs.ended_at,
    CASE WHEN legs.end_kind IN ('deleted', 'ended') OR legs.expired_at IS NOT NULL THEN 'lost' ELSE 'unresolved' END AS state,
    coalesce(legs.expired_at, legs.ended_at) AS state_at,
    legs.last_line_at AS seen_at,
    CASE WHEN legs.end_kind = 'removed' AND (handing_hosts.host IS NULL OR last_legs.leg IS NOT NULL) THEN legs.ended_at END AS closed_at,
    unnest(range(missing)) AS place
FROM (
    SELECT
        legs.*,
        CASE
            WHEN recipient_count IS NOT NULL THEN recipient_count - coalesce(known.recipients, 0)
            WHEN known.recipients > 0 THEN 0
            ELSE coalesce(announced_count, (ended_at IS NOT NULL)::BIGINT)
        END AS missing
    FROM legs
    LEFT JOIN known USING (leg)
) AS legs
JOIN chains USING (leg)
LEFT JOIN handing_hosts ON handing_hosts.host = legs.host
LEFT JOIN last_legs ON last_legs.leg = legs.leg
ANTI JOIN (SELECT DISTINCT leg FROM hops) AS handed_on USING (leg)
ANTI JOIN heirs USING (leg)
WHERE legs.is_accepted AND NOT chains.is_notice AND missing > 0 AND legs.end_kind IS DISTINCT FROM 'requeued';

CREATE OR REPLACE VIEW all_deliveries AS
WITH
bulk AS (
    SELECT DISTINCT sender FROM (SELECT sender FROM roots UNION ALL SELECT sender FROM plain_ends) AS known
    JOIN bulk_senders ON known.sender GLOB bulk_senders.pattern
),
spoken AS (
    SELECT *, depth::HUGEINT << 110 | deciding_moment AS last_moment
    FROM judged
    WHERE is_local
),
decided AS (  -- one row per message and target
    SELECT
        root,
        target,
        any_value(mailbox) AS mailbox,
        any_value(account_id) AS account_id,
        any_value(customer_id) AS customer_id,
        any_value(segment) AS segment,
        min(written) AS address,
        min(written) <> max(written) AS has_several_addresses,
        CASE
            WHEN bool_or(state = 'delivered') THEN 'delivered'
            WHEN bool_or(state = 'pending') THEN 'pending'
            WHEN bool_or(state = 'unresolved') THEN 'unresolved'
            WHEN bool_or(state = 'lost') THEN 'lost'
            WHEN bool_or(state = 'rejected_recipient') THEN 'rejected_recipient'
        END AS outcome,
        min(state_at) FILTER (state = 'delivered') AS delivered_at,
        max(state_at) FILTER (state IN ('lost', 'rejected_recipient')) AS failed_at,
        coalesce(
            arg_min(leg_recipient, deciding_moment) FILTER (state = 'delivered'),
            arg_max(leg_recipient, last_moment)
        ) AS deciding,
        max(depth) + 1 AS legs,
        sum(attempts)::BIGINT AS attempts,
        max(seen_at) AS seen_at,
        CASE WHEN bool_and(closed_at IS NOT NULL) FILTER (state IN ('pending', 'unresolved')) THEN max(closed_at) END AS closed_at,
        bool_or(is_silent) AS is_silent,
        bool_or(is_listed) AS is_listed
    FROM spoken
    GROUP BY root, target
    HAVING bool_or(state <> 'handed_on')
),
written_as AS (  -- where a message came by several addresses: the first leg's, at arrival if named there, the mailbox's own name
    SELECT DISTINCT ON (root, target) root, target, written
    FROM spoken SEMI JOIN (SELECT root, target FROM decided WHERE has_several_addresses) AS torn_between USING (root, target)
    WHERE NOT is_tried_by_name OR named_at IS NOT NULL
    ORDER BY root, target, depth, coalesce(named_at, TIMESTAMPTZ 'infinity'), written IS DISTINCT FROM mailbox, first_moment, first_place
),
timed AS (
    SELECT
        roots.*,
        decided.* EXCLUDE (root, target, deciding, address, has_several_addresses),
        coalesce(written_as.written, decided.address) AS address,
        decided.target AS mailbox_or_address,
        chains.depth,
        line.dsn,
        line.source_id,
        line.line_number,
        line.final_delay_seconds,
        NOT line.is_ended AS is_inferred,
        CASE outcome WHEN 'delivered' THEN delivered_at WHEN 'lost' THEN failed_at WHEN 'rejected_recipient' THEN failed_at END AS ended_at
    FROM decided
    JOIN roots USING (root)
    JOIN leg_recipients AS line ON line.leg_recipient = decided.deciding
    JOIN chains ON chains.leg = line.leg
    LEFT JOIN written_as ON written_as.root = decided.root AND written_as.target = decided.target
    UNION ALL BY NAME
    SELECT
        roots.*,
        nameless.state AS outcome,
        CASE WHEN nameless.state = 'lost' THEN nameless.state_at END AS ended_at,
        1 AS legs,
        0 AS attempts,
        nameless.seen_at,
        nameless.closed_at,
        false AS is_silent,
        false AS is_listed,
        true AS is_inferred
    FROM nameless
    JOIN roots USING (root)
    UNION ALL BY NAME
    SELECT
        host, queue_id, arrived_at, arrived_date, sender, message_id, mailbox, account_id, customer_id, segment,
        written AS address,
        target AS mailbox_or_address,
        CASE WHEN final_status = 'sent' THEN 'delivered' WHEN is_unknown_mailbox THEN 'rejected_recipient' ELSE 'lost' END AS outcome,
        final_at AS ended_at,
        0 AS depth,
        1 AS legs,
        attempts,
        dsn,
        source_id,
        line_number,
        delay_seconds AS final_delay_seconds,
        false AS is_silent,
        false AS is_listed,
        false AS is_inferred
    FROM plain_rows
    WHERE is_local
)
SELECT
    * EXCLUDE (is_torn),
    CASE WHEN is_torn OR is_end_doubted OR outcome <> 'pending' THEN coalesce(seen_delay_seconds, delay_seconds) ELSE delay_seconds END AS proven_delay_seconds
FROM (
    SELECT
        timed.host || '/' || timed.queue_id || '@' || epoch_ms(timed.arrived_at)::VARCHAR AS message_key,
        timed.message_id,
        timed.host,
        timed.queue_id,
        timed.sender,
        bulk.sender IS NOT NULL AS is_bulk,
        timed.address,
        timed.mailbox_or_address,
        timed.mailbox,
        timed.account_id,
        timed.customer_id,
        CASE WHEN timed.mailbox_or_address IS NULL THEN NULL ELSE coalesce(timed.segment, 'unmatched') END AS segment,
        timed.arrived_at,
        timed.arrived_date,
        timed.ended_at,
        timed.outcome,
        greatest(0, CASE
            WHEN timed.ended_at IS NULL THEN seconds_between(timed.arrived_at, settings.as_of)
            WHEN timed.outcome = 'delivered' AND timed.depth = 0
                AND abs(timed.final_delay_seconds - seconds_between(timed.arrived_at, timed.ended_at)) <= 2
                AND is_whole_second(timed.arrived_at) AND is_whole_second(timed.ended_at)  -- finer stamps know better
                THEN timed.final_delay_seconds
            ELSE seconds_between(timed.arrived_at, timed.ended_at)
        END)::DOUBLE AS delay_seconds,
        timed.legs,
        timed.attempts,
        timed.dsn,
        CASE WHEN timed.ended_at IS NULL AND NOT timed.is_listed THEN greatest(0, seconds_between(timed.arrived_at, timed.seen_at)) END::DOUBLE
            AS seen_delay_seconds,
        CASE WHEN timed.ended_at IS NULL AND timed.closed_at IS NOT NULL THEN greatest(0, seconds_between(timed.arrived_at, timed.closed_at)) + 1 END::DOUBLE
            AS longest_delay_seconds,
        doubted_roots.arrival_doubt,
        timed.outcome = 'pending' AND timed.is_silent AS is_end_doubted,
        timed.outcome = 'lost' AND timed.is_inferred AND shared_ends.root IS NOT NULL AS is_loss_inferred,
        uncounted.root IS NOT NULL AND (uncounted.is_unannounced OR timed.legs > 1 OR timed.address <> timed.mailbox) AS is_address_doubted,
        torn.host IS NOT NULL AS is_torn,
        timed.outcome AS reason,
        timed.source_id,
        timed.line_number
    FROM timed
    CROSS JOIN settings
    LEFT JOIN bulk ON bulk.sender = timed.sender
    LEFT JOIN torn ON torn.host = timed.host
    LEFT JOIN doubted_roots ON doubted_roots.root = timed.root
    LEFT JOIN shared_ends ON shared_ends.root = timed.root
    LEFT JOIN uncounted ON uncounted.root = timed.root
);

-- One row per leg: a queue file's lifetime on one host.
-- In:  facts; events (kind `snapshot`); settings
-- Out: legs; leg_recipients, one row per leg, recipient and address that it was written as
--
-- Rules: a leg arrives when its first line says so; where rotation or loss cut that line off, arrival = stamp - delay
-- (trap 9). Each retry repeats a growing delay; only the line that ends a recipient counts, the earliest if repeated
-- (trap 2). A queue listing belongs to the latest lifetime of its id, unless that one ended just as the queue was
-- listed; a listed file without any line is a leg of its own. `recipient_count` is exact (Postfix `nrcpt=`, after
-- expansion), `announced_count` is what was announced at arrival (before aliases were expanded and merged). Whoever is
-- first told of as standing in for another (Exchange: members of a group, an alias' mailbox) was written as that other,
-- back from stand-in to stand-in. Whom others were put in place of is replaced, unless the same line or a later one
-- names it for itself (a mailbox that keeps a copy of what it forwards).

CREATE OR REPLACE TABLE legs AS
WITH
from_lines AS (
    SELECT * FROM queue_files ANTI JOIN reused USING (host, queue_id)
    UNION ALL
    FROM queue_files_of('lifetimes')
),
listed AS (  -- one row per queue file of the queue listings
    SELECT
        queue_id,
        min(sender) AS sender,
        count(DISTINCT recipient) AS recipient_count,
        min(arrival_by_delay(logged_at, delay_seconds)) AS arrived_at
    FROM events
    WHERE kind = 'snapshot'
    GROUP BY queue_id
),
latest AS (  -- the lifetime that a listing can be about
    SELECT queue_id, host, lifetime, ended_at, coalesce(arrived_line_at, earliest_at) AS arrived_at
    FROM from_lines SEMI JOIN listed USING (queue_id)
    QUALIFY row_number() OVER (PARTITION BY queue_id ORDER BY coalesce(arrived_line_at, earliest_at) DESC) = 1
),
matched AS (
    SELECT
        listed.*,
        latest.host,
        latest.lifetime,
        latest.queue_id IS NOT NULL AND latest.ended_at IS NOT NULL AND listed.arrived_at < latest.ended_at AS has_just_ended
    FROM listed
    LEFT JOIN latest
        ON latest.queue_id = listed.queue_id
        AND (latest.ended_at IS NULL OR listed.arrived_at < latest.ended_at)
)
SELECT
    row_number() OVER () AS leg,
    *
FROM (
    SELECT
        from_lines.host,
        from_lines.queue_id,
        from_lines.lifetime,
        coalesce(arrived_line_at, earliest_at) AS arrived_at,
        first_moment,
        arrived_line_at IS NOT NULL AS has_arrival_line,
        last_line_at,
        coalesce(queued_sender, arrived_sender, matched.sender) AS sender,
        message_id,
        client,
        greatest(from_lines.recipient_count, matched.recipient_count) AS recipient_count,
        announced_count,
        former_queue_id,
        ended_at,
        end_kind,
        expired_at,
        is_accepted OR matched.queue_id IS NOT NULL AS is_accepted,
        matched.queue_id IS NOT NULL AND NOT matched.has_just_ended AS is_listed
    FROM from_lines
    LEFT JOIN matched USING (host, queue_id, lifetime)
    UNION ALL BY NAME
    SELECT
        '' AS host,
        queue_id,
        -1 AS lifetime,
        arrived_at,
        moment(arrived_at, 0, 0) AS first_moment,
        false AS has_arrival_line,
        arrived_at AS last_line_at,
        sender,
        recipient_count,
        true AS is_accepted,
        true AS is_listed
    FROM matched
    WHERE host IS NULL
);

CREATE OR REPLACE TABLE said AS  -- one row per mention of a leg's recipient
SELECT
    leg, recipient, original_recipient, recipient_place, kind, logged_at, moment, status, dsn, reply, delay_seconds, relay,
    related_queue_id, source_id, line_number
FROM facts
JOIN legs USING (host, queue_id, lifetime)
WHERE kind IN ('attempted', 'accepted') AND recipient IS NOT NULL
UNION ALL BY NAME
SELECT leg, recipient, kind, logged_at, moment(logged_at, 0, line_number) AS moment, source_id, line_number
FROM events
JOIN legs ON legs.queue_id = events.queue_id AND legs.is_listed
WHERE kind = 'snapshot';

CREATE OR REPLACE TABLE named AS  -- in legs that tell of stand-ins
SELECT leg, recipient, original_recipient, logged_at, moment
FROM said
SEMI JOIN (SELECT leg FROM said WHERE kind = 'accepted' AND original_recipient IS NOT NULL) AS standing_in USING (leg)
WHERE kind = 'accepted';

CREATE OR REPLACE TABLE replaced AS  -- one row per leg and recipient that others were put in place of
WITH
once AS (  -- lines that two files hold
    SELECT leg, recipient, original_recipient, min(moment) AS moment FROM named GROUP BY leg, recipient, original_recipient, logged_at
),
left_at AS (SELECT leg, original_recipient AS recipient, max(moment) AS moment FROM once WHERE original_recipient IS NOT NULL GROUP BY ALL),
named_at AS (SELECT leg, recipient, max(moment) AS moment FROM once WHERE original_recipient IS NULL GROUP BY ALL)
SELECT leg, recipient, coalesce(left_at.moment > named_at.moment, true) AS is_replaced
FROM left_at
LEFT JOIN named_at USING (leg, recipient);

CREATE OR REPLACE TABLE stand_ins AS  -- at one moment, a name in another file is what the next server was told
WITH
told AS (
    SELECT leg, recipient, arg_min(original_recipient, moment) AS original_recipient, min(moment) AS moment
    FROM named
    WHERE original_recipient IS NOT NULL
    GROUP BY leg, recipient
)
SELECT leg, recipient, original_recipient
FROM told
ANTI JOIN named
    ON named.leg = told.leg AND named.recipient = told.recipient AND named.original_recipient IS NULL
    AND named.moment < told.moment
    AND (stamp_in(named.moment) < stamp_in(told.moment) OR file_in(named.moment) = file_in(told.moment));

CREATE OR REPLACE TABLE written_for AS  -- what the sender wrote where a stand-in is told of
WITH RECURSIVE
walk AS (
    SELECT leg, recipient, original_recipient, 1 AS steps FROM stand_ins
    UNION ALL
    SELECT walk.leg, walk.recipient, stand_ins.original_recipient, walk.steps + 1
    FROM walk
    JOIN stand_ins ON stand_ins.leg = walk.leg AND stand_ins.recipient = walk.original_recipient
    WHERE walk.steps < 20  -- groups that hold each other go round
)
SELECT leg, recipient, arg_max(original_recipient, steps) AS original_recipient FROM walk GROUP BY leg, recipient;

CREATE OR REPLACE VIEW said_as_written AS
SELECT
    said.* EXCLUDE (original_recipient),
    nullif(coalesce(by_original.original_recipient, said.original_recipient, by_recipient.original_recipient), said.recipient)
        AS original_recipient
FROM said
LEFT JOIN written_for AS by_original ON by_original.leg = said.leg AND by_original.recipient = said.original_recipient
LEFT JOIN written_for AS by_recipient ON by_recipient.leg = said.leg AND by_recipient.recipient = said.recipient;

CREATE OR REPLACE TABLE leg_recipients AS
WITH
spoken AS (
    SELECT
        leg,
        recipient,
        original_recipient,
        count(*) FILTER (kind = 'attempted') AS attempts,
        min(logged_at) FILTER (kind = 'accepted') AS named_at,
        min(moment) AS first_moment,
        min(recipient_place) AS first_place,
        max(logged_at) AS last_at,
        -- the first end counts; a hand-over inside the platform only where no better end is logged (Exchange SEND)
        coalesce(min(moment) FILTER (is_final(status) AND status <> 'forwarded'), min(moment) FILTER (status = 'forwarded'), max(moment))
            AS deciding_moment
    FROM said_as_written
    GROUP BY leg, recipient, original_recipient
)
SELECT
    row_number() OVER () AS leg_recipient,
    spoken.*,
    deciding.source_id,
    deciding.line_number,
    deciding.dsn,
    is_final(deciding.status) AS is_ended,
    CASE WHEN is_final(deciding.status) THEN deciding.logged_at END AS final_at,
    CASE WHEN is_final(deciding.status) THEN deciding.status END AS final_status,
    deciding.reply,
    deciding.relay,
    CASE WHEN is_final(deciding.status) THEN deciding.related_queue_id END AS next_queue_id,
    CASE WHEN is_final(deciding.status) THEN deciding.delay_seconds END AS final_delay_seconds,
    replaced.is_replaced  -- null: nobody was put in its place
FROM spoken
JOIN said_as_written AS deciding
    ON deciding.leg = spoken.leg AND deciding.moment = spoken.deciding_moment AND deciding.recipient = spoken.recipient
    AND deciding.original_recipient IS NOT DISTINCT FROM spoken.original_recipient
LEFT JOIN replaced ON replaced.leg = spoken.leg AND replaced.recipient = spoken.recipient;

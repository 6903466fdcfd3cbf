-- How much mail may have passed that no line shows, and how much of what looks open may have ended.
-- In:  deliveries, findings, losses, silences, unread; windows (0 is the incident's)
-- Out: torn_log, one row: has it lost lines, and when last; gaps; exposed, what each gap may hide; hidden, what the
--      logger's own marks, unread lines and files without a line may hide, and ends that may have been lost
--
-- Rules: what was seen of a random number is never more than what was to be expected and three standard deviations
-- (`at_most`). A gap hides at most the mail of the busiest comparable time: as long a time before it and after it,
-- and the same time of all other days. N lines lost hide the mail that leaves N lines there. Of queue files without
-- any line, Lincoln and Petersen's estimate is taken (see 35_doubts.sql).

CREATE OR REPLACE MACRO at_most(expected) AS CASE WHEN coalesce(expected, 0) > 0 THEN ceil(expected + 3 * sqrt(expected)) ELSE 0 END;

CREATE OR REPLACE TABLE marks AS  -- N lines were lost by then, says the logger
SELECT host, end_at AS lost_by_at, lines
FROM findings
WHERE code = 'loss_mark' AND lines > 0 AND end_at IS NOT NULL;

CREATE OR REPLACE TABLE gaps AS
WITH
begun AS (  -- lines began to be lost, and no mark says how many
    SELECT findings.host, findings.start_at, findings.start_at + INTERVAL 1 HOUR AS end_at
    FROM findings
    ANTI JOIN marks ON marks.host = findings.host AND marks.lost_by_at BETWEEN findings.start_at AND findings.start_at + INTERVAL 1 HOUR
    WHERE code = 'loss_mark' AND lines IS NULL AND findings.start_at IS NOT NULL
),
found AS (
    SELECT host, start_at, end_at FROM findings WHERE code = 'log_hole'
    UNION ALL
    SELECT host, start_at, end_at FROM begun
),
told AS (
    SELECT * FROM found
    UNION ALL
    SELECT host, start_at, end_at FROM silences
    ANTI JOIN found ON found.host = silences.host AND found.start_at < silences.end_at AND found.end_at > silences.start_at
)
SELECT row_number() OVER (ORDER BY host, start_at) AS gap, * FROM told WHERE end_at > start_at;

CREATE OR REPLACE TABLE torn_log AS
SELECT
    (SELECT count(*) FROM losses WHERE lines_missing > 0) + (SELECT count(*) FROM gaps) + (SELECT count(*) FROM marks) > 0 AS is_torn,
    (SELECT max(lost_at) FROM (SELECT end_at AS lost_at FROM gaps UNION ALL SELECT lost_by_at FROM marks)) AS last_gap_at,
    (SELECT coalesce(list({'start_at': start_at, 'end_at': end_at}), []) FROM gaps) AS gaps;

CREATE OR REPLACE TABLE exposed AS
WITH
known AS (  -- hosts whose mail can be told from that of others, and `*` for all
    SELECT
        coalesce(host, '*') AS host, min(arrived_at) AS first_at, max(arrived_at) AS last_at,
        epoch(max(arrived_at) - min(arrived_at)) + 1 AS seconds
    FROM deliveries
    GROUP BY ROLLUP (host)
),
inside AS (  -- the parts of gaps in which mail of the window may have arrived
    SELECT gap, CASE WHEN gaps.host IN (SELECT host FROM known) THEN gaps.host ELSE '*' END AS host, greatest(gaps.start_at, windows.start_at) AS start_at, least(gaps.end_at, windows.end_at) AS end_at
    FROM gaps
    JOIN windows ON windows.window_number = 0 AND gaps.start_at < windows.end_at AND gaps.end_at > windows.start_at
),
shifts AS (
    SELECT gap, host, to_days(days) + start_at AS start_at, to_days(days) + end_at AS end_at
    FROM inside CROSS JOIN (SELECT unnest(range(-62, 63)) AS days WHERE true)
    WHERE days <> 0
    UNION ALL
    SELECT gap, host, start_at - (end_at - start_at), start_at FROM inside
    UNION ALL
    SELECT gap, host, end_at, end_at + (end_at - start_at) FROM inside
),
comparable AS (
    SELECT shifts.*, row_number() OVER () AS span
    FROM shifts
    JOIN known USING (host)
    ANTI JOIN gaps AS other ON shifts.host IN (other.host, '*') AND other.start_at < shifts.end_at AND other.end_at > shifts.start_at
    WHERE shifts.start_at >= known.first_at AND shifts.end_at <= known.last_at
),
spans AS (  -- and the whole log, by its rate
    SELECT gap, span, host, start_at, end_at, 1.0 AS scale FROM comparable
    UNION ALL
    SELECT gap, -gap, host, first_at, last_at + INTERVAL 1 SECOND, epoch(end_at - start_at) / seconds
    FROM inside JOIN known USING (host)
),
mail AS (
    SELECT gap, span, scale, message_key, address, mailbox, account_id, customer_id, segment, is_bulk
    FROM deliveries
    JOIN spans ON spans.host IN (deliveries.host, '*') AND deliveries.arrived_at >= spans.start_at AND deliveries.arrived_at < spans.end_at
),
units AS (
    SELECT 'delivery' AS unit, NULL AS entity, 1 AS each, * FROM mail
    UNION ALL
    SELECT 'message', message_key, NULL, * FROM mail
    UNION ALL
    SELECT 'address', address, NULL, * FROM mail WHERE address IS NOT NULL
    UNION ALL
    SELECT 'mailbox', mailbox, NULL, * FROM mail WHERE mailbox IS NOT NULL
    UNION ALL
    SELECT 'account', account_id, NULL, * FROM mail WHERE mailbox IS NOT NULL
    UNION ALL
    SELECT 'customer', customer_id, NULL, * FROM mail WHERE mailbox IS NOT NULL
),
counted AS (
    SELECT gap, span, unit, messages, part.segment, any_value(scale) * (coalesce(sum(each), 0) + count(DISTINCT entity)) AS units
    FROM units
    JOIN (VALUES ('all'), ('excluding_bulk')) AS choice (messages) ON choice.messages = 'all' OR NOT is_bulk
    CROSS JOIN LATERAL (SELECT unnest([units.segment, 'all']) AS segment) AS part
    GROUP BY ALL
)
SELECT unit, messages, segment, sum(ceil(busiest + 3 * sqrt(busiest + 1)))::BIGINT AS units
FROM (
    SELECT gap, unit, messages, segment, coalesce(max(units), 0) AS busiest
    FROM (SELECT gap FROM inside)
    CROSS JOIN (SELECT unnest(['delivery', 'message', 'address', 'mailbox', 'account', 'customer']) AS unit)
    CROSS JOIN (SELECT unnest(['all', 'excluding_bulk']) AS messages)
    CROSS JOIN (SELECT 'all' AS segment UNION ALL SELECT 'unmatched' UNION ALL SELECT segment FROM segments)
    LEFT JOIN counted USING (gap, unit, messages, segment)
    GROUP BY ALL
)
GROUP BY ALL;

CREATE OR REPLACE TABLE hidden AS
WITH
by_host AS (  -- how often lines are lost, by all that the host wrote
    SELECT
        host,
        any_value(lines_per_recipient) AS lines_per_recipient,
        sum(lines_missing) / greatest(sum(lines_expected), 1) AS loss_share,
        sum(pairs_missing) / greatest(sum(pairs_expected), 1) AS pair_share,
        sum(files_to_end) > 0 AS has_ends,
        sum(recipients_counted) / greatest(sum(files_counted), 1) AS recipients_per_file,
        sum(recipients_unnamed) / greatest(sum(recipients_counted), 1) AS unnamed_share
    FROM losses
    GROUP BY host
),
in_window AS (
    SELECT
        host,
        sum(finals) AS finals,
        sum(deletions) AS deletions,
        sum(recipients_uncounted) AS uncounted,
        sum(first_half_only) AS first_half_only,
        sum(second_half_only) AS second_half_only,
        sum(both_halves) AS both_halves
    FROM losses
    JOIN windows ON windows.window_number = 0 AND hour_at < windows.end_at AND hour_at + INTERVAL 1 HOUR > windows.start_at
    GROUP BY host
),
expected AS (
    SELECT
        sum(first_half_only * second_half_only / greatest(both_halves, 1) * greatest(recipients_per_file, 1)) AS in_lost_files,
        sum(uncounted * unnamed_share / greatest(1 - unnamed_share, 0.01)) AS in_uncounted_files,
        sum(finals * CASE WHEN has_ends THEN greatest(loss_share ** 2, pair_share) ELSE loss_share END + deletions * loss_share) AS false_ends
    FROM in_window
    JOIN by_host USING (host)
),
marked AS (  -- what a gap hides already is not hidden twice
    SELECT
        marks.host,
        lines / greatest(coalesce(lines_per_recipient, 1), 1) AS deliveries,
        gaps.gap IS NOT NULL AS is_in_gap
    FROM marks
    JOIN windows ON windows.window_number = 0 AND lost_by_at >= windows.start_at AND lost_by_at < windows.end_at + INTERVAL 1 HOUR
    LEFT JOIN by_host ON by_host.host = marks.host
    LEFT JOIN gaps ON gaps.host = marks.host AND lost_by_at BETWEEN gaps.start_at AND gaps.end_at + INTERVAL 5 MINUTE
)
SELECT
    (SELECT at_most(sum(deliveries)) FROM marked WHERE NOT is_in_gap)::BIGINT AS by_marks,
    (SELECT at_most(sum(deliveries)) FROM marked WHERE is_in_gap)::BIGINT AS by_marks_in_gaps,
    (
        SELECT count(*)
        FROM unread
        JOIN windows ON windows.window_number = 0
            AND coalesce(until_at, TIMESTAMPTZ 'infinity') >= windows.start_at AND coalesce(from_at, TIMESTAMPTZ '-infinity') < windows.end_at
    )::BIGINT AS by_unread_lines,
    at_most(in_lost_files + in_uncounted_files)::BIGINT AS by_lost_files,
    at_most(false_ends)::BIGINT AS false_ends
FROM expected;

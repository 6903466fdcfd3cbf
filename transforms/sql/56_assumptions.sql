-- How narrow does the range become if one is ready to assume something?
-- In:  causes, added, cells, hidden; deliveries, windows (0 is the incident's), thresholds
-- Out: assumptions, one row per assumption; waiting_odds and seen_odds, how often mail is hit that nobody can see
--      hit; narrower, one row per cell and assumption
--
-- Rules: the bounds of `cells` assume nothing. Each assumption takes some causes of the range and says what they add
-- at the most: `nothing`, or as many as its odds let expect and three standard deviations (`at_most`), each delivery
-- for itself, as if each were another mailbox, account or customer. No cause adds more than it does in the worst case.
-- `all_of_these` makes every assumption at once. No log can tell whether an assumption holds; that is why each is
-- named, and none is in the bounds.

CREATE OR REPLACE TABLE assumptions AS
SELECT *
FROM (
    VALUES
        (1, 'waiting_like_delivered', 'Mail still waiting fares as mail of the same server fared that had waited as long.', ['pending'], 'waiting', false),
        (2, 'open_as_shown', 'Mail that looks open is open: no line that tells its end was lost.', [], 'nothing', true),
        (3, 'unresolved_in_time', 'Mail whose end the logs lack was delivered in time.', ['unresolved', 'nameless'], 'nothing', false),
        (4, 'arrivals_as_shown', 'Mail arrived when the logs first tell of it.', ['arrival'], 'nothing', false),
        (5, 'strangers_no_customers', 'Addresses that no record knows are nobody on the records.', ['unmatched'], 'nothing', false),
        (6, 'hidden_like_seen', 'Mail that no line shows was hit as often as mail that lines show.', ['unread_lines', 'gaps', 'loss_marks', 'unseen'], 'seen', false)
) AS made (place, assumption, sentence, causes, odds, is_open);

-- Of mail that had an end and had waited as long as each waiting delivery has: how much was then hit? Waits are compared
-- in whole seconds; where fewer than ten had waited as long, nothing is known and all may be hit.
CREATE OR REPLACE TABLE waiting_odds AS
WITH
mail AS (
    SELECT
        host, is_bulk, floor(delay_seconds)::BIGINT AS seconds,
        count(*) FILTER (outcome = 'delivered') AS delivered,
        count(*) FILTER (outcome = 'lost') AS lost,
        count(*) FILTER (outcome = 'pending') AS pending
    FROM deliveries
    JOIN windows ON window_number = 0 AND arrived_at >= start_at AND arrived_at < end_at
    SEMI JOIN (SELECT DISTINCT host FROM deliveries WHERE outcome = 'pending') AS waiting USING (host)
    WHERE outcome IN ('delivered', 'lost', 'pending') AND mailbox_or_address IS NOT NULL
    GROUP BY ALL
),
as_long AS (  -- mail that waited at least as long and had an end
    SELECT host, seconds, sum(sum(delivered + lost)) OVER longer AS ended, sum(sum(lost)) OVER longer AS lost
    FROM mail
    GROUP BY host, seconds
    WINDOW longer AS (PARTITION BY host ORDER BY seconds DESC)
),
late AS (
    SELECT host, threshold_seconds, step, sum(delivered) FILTER (seconds >= threshold_seconds) AS delivered
    FROM mail CROSS JOIN thresholds
    GROUP BY ALL
),
asked AS (
    SELECT
        is_bulk, step, "count", pending,
        CASE WHEN ended >= 10 THEN (coalesce(late.delivered, 0) + CASE WHEN "count" = 'late_or_lost' THEN as_long.lost ELSE 0 END) / ended ELSE 1 END AS odds
    FROM mail
    JOIN as_long USING (host, seconds)
    JOIN late ON late.host = mail.host AND late.threshold_seconds > mail.seconds
    CROSS JOIN (VALUES ('late'), ('late_or_lost')) AS outcome ("count")
    WHERE mail.pending > 0
)
SELECT messages, step, "count", sum(pending * odds) / sum(pending) AS share
FROM asked
JOIN (VALUES ('all'), ('excluding_bulk')) AS choice (messages) ON choice.messages = 'all' OR NOT is_bulk
GROUP BY ALL;

CREATE OR REPLACE TABLE seen_odds AS
SELECT messages, step, "count", measured / exposed AS share
FROM (SELECT messages, step, "count", measured FROM added WHERE unit = 'delivery' AND segment = 'all')
JOIN (
    SELECT messages, count(*) AS exposed
    FROM deliveries
    JOIN windows ON window_number = 0 AND arrived_at >= start_at AND arrived_at < end_at
    JOIN (VALUES ('all'), ('excluding_bulk')) AS choice (messages) ON choice.messages = 'all' OR NOT is_bulk
    GROUP BY messages
) USING (messages);

CREATE OR REPLACE TABLE narrower AS
WITH
made AS (
    SELECT place AS assumed, assumption, unnest(causes) AS cause, odds FROM assumptions
    UNION ALL
    SELECT (SELECT max(place) + 1 FROM assumptions), 'all_of_these', unnest(causes), odds FROM assumptions
),
likely AS (  -- how many deliveries a cause is to be expected to add, by the odds
    SELECT causes.messages, causes.threshold_seconds, causes."count", causes.segment, causes.cause, odds.odds, at_most(units * share)::BIGINT AS units
    FROM causes
    JOIN thresholds USING (threshold_seconds)
    JOIN (SELECT 'waiting' AS odds, * FROM waiting_odds UNION ALL SELECT 'seen', * FROM seen_odds) AS odds
        ON odds.messages = causes.messages AND odds.step = thresholds.step AND odds."count" = causes."count"
    WHERE causes.unit = 'delivery'
),
named AS (
    SELECT place AS assumed, assumption, sentence, is_open FROM assumptions
    UNION ALL
    SELECT max(place) + 1, 'all_of_these', 'All of these.', bool_or(is_open) FROM assumptions
),
assumed AS (
    SELECT
        causes.*, named.*,
        CASE WHEN made.odds IS NULL THEN causes.units WHEN made.odds = 'nothing' THEN 0 ELSE least(causes.units, coalesce(likely.units, causes.units)) END AS adds
    FROM causes
    CROSS JOIN named
    LEFT JOIN made ON made.assumption = named.assumption AND made.cause = causes.cause
    LEFT JOIN likely
        ON likely.messages = causes.messages AND likely.threshold_seconds = causes.threshold_seconds AND likely."count" = causes."count"
        AND likely.segment = causes.segment AND likely.cause = causes.cause AND likely.odds = made.odds
),
summed AS (
    SELECT
        unit, threshold_seconds, messages, "count", segment, assumed, assumption, sentence, is_open,
        any_value(measured) AS measured,
        any_value(most) AS most,
        sum(adds) AS reached,
        coalesce(sum(adds) FILTER (place <= 4), 0) AS seen
    FROM assumed
    GROUP BY ALL
)
SELECT
    unit, threshold_seconds, messages, "count", segment, assumed AS place, assumption, sentence,
    CASE WHEN is_open THEN least(added.measured, greatest(proven, proven_if_open)) ELSE cells.lower END AS lower,
    (CASE
        WHEN summed.most IS NULL THEN summed.measured + reached
        ELSE least(summed.measured + reached, greatest(summed.most, summed.measured + seen))
    END)::BIGINT AS upper
FROM summed
JOIN cells USING (unit, threshold_seconds, messages, "count", segment)
JOIN added USING (unit, threshold_seconds, messages, "count", segment);

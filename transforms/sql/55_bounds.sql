-- Between which figures does the truth lie, and what makes the range wide?
-- In:  counted, reach; exposed, hidden; customer_records, windows, settings
-- Out: causes, one row per cell and cause: what it may add by itself; bounds, the same after the causes before it;
--      cells, the grid of the contract
--
-- Rules: worst case, by what the logs leave possible. Causes are added in this order, each with what the causes before
-- it have not added yet: mail still pending; mail unresolved; mail whose arrival may lie earlier than shown; recipients
-- that no record knows, each one more mailbox, account and customer of any segment; recipients counted and never named;
-- lines that could not be read, one more delivery each; gaps; lines lost by the logger's own word; queue files of
-- which no line is left. People of whom nothing is seen are no more than there are on the records.
-- `lower` is what is proven, or what is proven if open mail is open, less the ends that may have been lost.

CREATE OR REPLACE TABLE provisioned AS
WITH
days AS (
    SELECT
        (windows.start_at AT TIME ZONE settings.timezone)::DATE AS first_day,
        ((windows.end_at - INTERVAL 1 MICROSECOND) AT TIME ZONE settings.timezone)::DATE AS last_day
    FROM windows CROSS JOIN settings
    WHERE windows.window_number = 0
)
SELECT
    part.segment,
    count(DISTINCT mailbox) AS mailbox,
    count(DISTINCT account_id) AS account,
    count(DISTINCT customer_id) AS customer
FROM customer_records
CROSS JOIN days
CROSS JOIN LATERAL (SELECT unnest([customer_records.segment, 'all']) AS segment) AS part
WHERE coalesce(valid_from, DATE '0001-01-01') <= last_day AND coalesce(valid_to, DATE '9999-12-31') >= first_day
GROUP BY part.segment;

CREATE OR REPLACE TABLE added AS  -- one row per cell and cause: how many units the cause alone may add
WITH
nameless AS (
    SELECT
        messages, step, "count",
        sum(entities) FILTER (
            reaches(facts, 4, step) OR ("count" = 'late_or_lost' AND (holds(facts, 3) OR holds(facts, 0)))
        )::BIGINT AS recipients
    FROM (SELECT DISTINCT messages, step, "count" FROM counted)
    JOIN (SELECT * FROM reach WHERE unit = 'delivery' AND segment IS NULL AND window_number = 0) USING (messages)
    GROUP BY messages, step, "count"
),
strangers AS (
    SELECT unit, messages, step, "count", possible
    FROM counted
    WHERE segment = 'unmatched'
)
SELECT
    cell.*,
    CASE WHEN is_of_the_records OR cell.segment NOT IN ('all', 'unmatched') THEN strangers.possible ELSE 0 END AS unmatched,
    CASE WHEN cell.segment = 'all' AND cell.unit IN ('delivery', 'message') THEN 0 ELSE coalesce(nameless.recipients, 0) END AS nameless,
    hidden.by_unread_lines AS unread_lines,
    coalesce(exposed.units, 0) AS gaps,
    coalesce(hidden.by_marks, 0) + greatest(0, coalesce(hidden.by_marks_in_gaps, 0) - coalesce(exposed.units, 0)) AS loss_marks,
    coalesce(hidden.by_lost_files, 0) AS unseen,
    CASE
        WHEN is_of_the_records THEN strangers.possible + coalesce(CASE cell.unit
            WHEN 'mailbox' THEN provisioned.mailbox WHEN 'account' THEN provisioned.account WHEN 'customer' THEN provisioned.customer
        END, 0)
    END AS most
FROM counted AS cell
CROSS JOIN hidden
LEFT JOIN nameless USING (messages, step, "count")
LEFT JOIN exposed USING (unit, messages, segment)
LEFT JOIN provisioned USING (segment)
LEFT JOIN strangers
    ON strangers.unit = CASE WHEN is_of_the_records THEN 'stranger' ELSE cell.unit END
    AND strangers.messages = cell.messages AND strangers.step = cell.step AND strangers."count" = cell."count"
WHERE cell.unit <> 'stranger';

CREATE OR REPLACE TABLE causes AS
SELECT unit, threshold_seconds, messages, "count", segment, measured, most, cause.*
FROM added
CROSS JOIN LATERAL (
    VALUES
        (1, 'pending', with_pending - measured),
        (2, 'unresolved', with_unresolved - with_pending),
        (3, 'arrival', possible - with_unresolved),
        (4, 'unmatched', unmatched),
        (5, 'nameless', nameless),
        (6, 'unread_lines', unread_lines),
        (7, 'gaps', gaps),
        (8, 'loss_marks', loss_marks),
        (9, 'unseen', unseen)
) AS cause (place, cause, units);

CREATE OR REPLACE TABLE bounds AS
WITH
running AS (
    SELECT *, measured + sum(units) OVER so_far AS reached, measured + sum(units) FILTER (place <= 4) OVER so_far AS seen
    FROM causes
    WINDOW so_far AS (PARTITION BY unit, threshold_seconds, messages, "count", segment ORDER BY place)
),
capped AS (
    SELECT *, CASE WHEN place <= 4 OR most IS NULL THEN reached ELSE least(reached, greatest(most, seen)) END AS reached_at_most
    FROM running
)
SELECT
    unit, threshold_seconds, messages, "count", segment, place, cause,
    (reached_at_most - lag(reached_at_most, 1, measured) OVER (
        PARTITION BY unit, threshold_seconds, messages, "count", segment ORDER BY place
    ))::BIGINT AS width
FROM capped;

CREATE OR REPLACE TABLE cells AS
SELECT
    unit,
    threshold_seconds,
    messages,
    "count",
    segment,
    measured,
    least(measured, greatest(proven, proven_if_open - coalesce(hidden.false_ends, 0))) AS lower,
    measured + width AS upper,
    baseline
FROM added
CROSS JOIN hidden
JOIN (
    SELECT unit, threshold_seconds, messages, "count", segment, sum(width)::BIGINT AS width
    FROM bounds
    GROUP BY ALL
) USING (unit, threshold_seconds, messages, "count", segment)
ORDER BY
    list_position(['delivery', 'message', 'address', 'mailbox', 'account', 'customer'], unit),
    threshold_seconds, messages, "count", segment = 'unmatched', segment <> 'all', segment;

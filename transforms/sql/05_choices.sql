-- What was declared before anything was counted, as tables.
-- In:  customer_records; variables timezone, as_of, local_domains, bulk_senders, thresholds_seconds, window_starts,
--      window_ends and the headline_… ones, all set from the incident file
-- Out: settings (one row), local_domains, bulk_senders, thresholds, brackets, windows, segments

CREATE OR REPLACE TABLE settings AS
SELECT
    getvariable('timezone') AS timezone,
    getvariable('as_of')::TIMESTAMPTZ AS as_of,
    getvariable('headline_threshold_seconds')::BIGINT AS headline_threshold_seconds,
    getvariable('headline_messages') AS headline_messages,
    getvariable('headline_count') AS headline_count;

CREATE OR REPLACE TABLE local_domains AS SELECT DISTINCT unnest(getvariable('local_domains')::VARCHAR[]) AS domain;

CREATE OR REPLACE TABLE bulk_senders AS SELECT DISTINCT unnest(getvariable('bulk_senders')::VARCHAR[]) AS pattern;

CREATE OR REPLACE TABLE thresholds AS
SELECT threshold_seconds, row_number() OVER (ORDER BY threshold_seconds) AS step
FROM (SELECT DISTINCT unnest(getvariable('thresholds_seconds')::BIGINT[]) AS threshold_seconds);

CREATE OR REPLACE TABLE brackets AS  -- delays that reach as many thresholds as `step` says
SELECT step, threshold_seconds AS at_least, coalesce(lead(threshold_seconds) OVER (ORDER BY step), 1e18) AS below
FROM thresholds;

CREATE OR REPLACE TABLE windows AS  -- 0 is the incident's window, the others are ordinary ones
SELECT
    unnest(range(len(getvariable('window_starts')))) AS window_number,
    unnest(getvariable('window_starts')::TIMESTAMPTZ[]) AS start_at,
    unnest(getvariable('window_ends')::TIMESTAMPTZ[]) AS end_at;

CREATE OR REPLACE TABLE segments AS SELECT DISTINCT segment FROM customer_records WHERE segment IS NOT NULL;

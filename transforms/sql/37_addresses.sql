-- Whose mail is each recipient's?
-- In:  legs, leg_recipients, hops, chains; long_files, ends; customer_records; settings, local_domains
-- Out: roots, one row per message that went the long way; recipient_rows, one row per recipient row of its legs, with the
--      recipient's holder; plain_rows, the same for plain queue files, each of which is a message by itself
--
-- Rule: who holds an address is asked of the records valid on the day of arrival, in the incident's time zone: of the
-- final recipient first, then of the one that was written; each as it stands first, then without its `+tag`. Every
-- join below is many-to-one unless it says otherwise.

CREATE OR REPLACE MACRO day_of(moment_at, timezone) AS (moment_at AT TIME ZONE timezone)::DATE;

CREATE OR REPLACE TABLE roots AS
SELECT
    chains.root,
    arg_min(legs.host, chains.depth) AS host,
    arg_min(legs.queue_id, chains.depth) AS queue_id,
    arg_min(legs.arrived_at, chains.depth) AS arrived_at,
    day_of(arg_min(legs.arrived_at, chains.depth), any_value(settings.timezone)) AS arrived_date,
    arg_min(legs.sender, chains.depth) FILTER (legs.sender IS NOT NULL) AS sender,
    arg_min(legs.message_id, chains.depth) FILTER (legs.message_id IS NOT NULL) AS message_id
FROM chains
JOIN legs USING (leg)
CROSS JOIN settings
WHERE NOT chains.is_notice
GROUP BY chains.root;

CREATE OR REPLACE VIEW rooted_rows AS
SELECT chains.root, chains.depth, roots.arrived_date, given.*, hops.child
FROM leg_recipients AS given
JOIN chains USING (leg)
JOIN roots USING (root)
LEFT JOIN hops USING (leg_recipient);

CREATE OR REPLACE VIEW plain_ends AS
SELECT ends.*, day_of(ends.arrived_at, settings.timezone) AS arrived_date
FROM ends
ANTI JOIN long_files USING (file)
CROSS JOIN settings;

-- Spans of validity without overlap: a gate refuses ambiguous records; here they must not multiply deliveries.
CREATE OR REPLACE TABLE holders AS
SELECT
    address, mailbox, account_id, customer_id, segment,
    coalesce(valid_from, DATE '0001-01-01') AS valid_from,
    coalesce(valid_to, DATE '9999-12-31') AS valid_to
FROM customer_records
WHERE address IS NOT NULL AND mailbox IS NOT NULL
QUALIFY coalesce(valid_from, DATE '0001-01-01') > coalesce(
    max(coalesce(valid_to, DATE '9999-12-31')) OVER (
        PARTITION BY address ORDER BY coalesce(valid_from, DATE '0001-01-01'), mailbox, account_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ),
    DATE '0001-01-01' - 1
);

CREATE OR REPLACE TABLE addresses AS
WITH
asked AS (
    SELECT DISTINCT address, arrived_date
    FROM (
        SELECT recipient AS address, arrived_date FROM rooted_rows
        UNION ALL
        SELECT original_recipient, arrived_date FROM rooted_rows WHERE original_recipient IS NOT NULL
        UNION ALL
        SELECT recipient, arrived_date FROM plain_ends
        UNION ALL
        SELECT original_recipient, arrived_date FROM plain_ends WHERE original_recipient IS NOT NULL
    )
)
SELECT
    asked.address,
    asked.arrived_date,
    coalesce(exact.mailbox, untagged.mailbox) AS mailbox,
    CASE WHEN exact.mailbox IS NULL THEN untagged.account_id ELSE exact.account_id END AS account_id,
    CASE WHEN exact.mailbox IS NULL THEN untagged.customer_id ELSE exact.customer_id END AS customer_id,
    CASE WHEN exact.mailbox IS NULL THEN untagged.segment ELSE exact.segment END AS segment,
    local_domains.domain IS NOT NULL AS is_local
FROM asked
LEFT JOIN holders AS exact
    ON exact.address = asked.address AND asked.arrived_date BETWEEN exact.valid_from AND exact.valid_to
LEFT JOIN holders AS untagged
    ON exact.mailbox IS NULL AND untagged.address = without_tag(asked.address) AND contains(asked.address, '+')
    AND asked.arrived_date BETWEEN untagged.valid_from AND untagged.valid_to
LEFT JOIN local_domains ON local_domains.domain = domain_of(asked.address);

-- Rows with a recipient, an original recipient and the day of arrival, with their holder.
CREATE OR REPLACE MACRO with_holders(given_rows) AS TABLE
SELECT
    given.*,
    coalesce(given.original_recipient, given.recipient) AS written,
    coalesce(final_holder.mailbox, written_holder.mailbox, given.recipient) AS target,
    CASE WHEN final_holder.mailbox IS NOT NULL THEN final_holder.mailbox ELSE written_holder.mailbox END AS mailbox,
    CASE WHEN final_holder.mailbox IS NOT NULL THEN final_holder.account_id ELSE written_holder.account_id END AS account_id,
    CASE WHEN final_holder.mailbox IS NOT NULL THEN final_holder.customer_id ELSE written_holder.customer_id END AS customer_id,
    CASE WHEN final_holder.mailbox IS NOT NULL THEN final_holder.segment ELSE written_holder.segment END AS segment,
    final_holder.is_local OR coalesce(written_holder.is_local AND written_holder.mailbox = given.recipient, false) AS is_local
FROM query_table(given_rows) AS given
JOIN addresses AS final_holder ON final_holder.address = given.recipient AND final_holder.arrived_date = given.arrived_date
LEFT JOIN addresses AS written_holder
    ON written_holder.address = given.original_recipient AND written_holder.arrived_date = given.arrived_date;

CREATE OR REPLACE TABLE recipient_rows AS FROM with_holders('rooted_rows');

CREATE OR REPLACE VIEW plain_rows AS FROM with_holders('plain_ends');

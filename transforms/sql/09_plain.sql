-- Which queue files are so plain that what became of their mail can be read off?
-- In:  events; files; linked; ends
-- Out: long_files, the queue files that go the long way, by the steps from 10_lifetimes.sql on; plain_files, all others;
--      handing_back, one row per next hop that may hand mail back
--
-- Rule: a queue file is plain if it leaves no question to any later step. It is orderly (06_files.sql); nothing ties it
-- to another (07_linked.sql); each recipient that it counts has one end and one name (08_ends.sql); its Message-ID is
-- borne by no file but plain ones; its next hop does not seem to hand mail back; and if its id is used again, that holds
-- for the others too. Whoever goes the long way without need comes to the same figures; so each test may send a plain
-- file there, and none lets another file through.

CREATE OR REPLACE TABLE doubtful AS
SELECT file FROM linked
UNION
SELECT file FROM ends WHERE is_questioned;

CREATE OR REPLACE TABLE not_alone AS  -- or with a Message-ID that one of these bears
WITH
others AS (SELECT host, queue_id FROM files SEMI JOIN doubtful USING (file)),
borne_elsewhere AS (SELECT message_id FROM events SEMI JOIN others USING (host, queue_id) WHERE message_id IS NOT NULL)
SELECT file FROM doubtful
UNION
SELECT file FROM files SEMI JOIN borne_elsewhere USING (message_id);

CREATE OR REPLACE TABLE handing_back AS  -- perhaps: next hops to which most mail was sent in other files
SELECT host, relay
FROM (
    SELECT host, relay, count(*) AS sent FROM events WHERE kind = 'attempted' AND status = 'sent' AND relay <> 'none' GROUP BY host, relay
)
LEFT JOIN (
    SELECT host, relay, count(*) AS sent_alone FROM ends ANTI JOIN not_alone USING (file) WHERE final_status = 'sent' GROUP BY host, relay
) USING (host, relay)
WHERE sent > 2 * coalesce(sent_alone, 0);

CREATE OR REPLACE TABLE long_files AS
WITH
handed AS (SELECT file FROM ends SEMI JOIN handing_back USING (host, relay) WHERE final_status = 'sent'),
ids AS (
    SELECT host, queue_id FROM files SEMI JOIN not_alone USING (file)
    UNION
    SELECT host, queue_id FROM files SEMI JOIN handed USING (file)
)
SELECT file, host, queue_id FROM files SEMI JOIN ids USING (host, queue_id);

CREATE OR REPLACE VIEW plain_files AS SELECT * FROM files ANTI JOIN long_files USING (file);

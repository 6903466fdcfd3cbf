-- Words that the other files use.

-- Arrival as an orphan line tells it: stamp - delay (trap 9).
CREATE OR REPLACE MACRO arrival_by_delay(logged_at, delay_seconds) AS
    logged_at - to_microseconds((coalesce(delay_seconds, 0) * 1000000)::BIGINT);

-- A status after which the server does not try again for this recipient.
CREATE OR REPLACE MACRO is_final(status) AS coalesce(status IN ('sent', 'forwarded', 'bounced', 'expired', 'discarded'), false);

-- A line's place in time, as one sortable number: its stamp, then the place of its file, then its number in the file.
CREATE OR REPLACE MACRO moment(logged_at, position, line_number) AS
    (epoch_us(logged_at)::HUGEINT * 4096 + position) * 4294967296 + line_number;

-- What ends a queue file.
CREATE OR REPLACE MACRO is_end(kind) AS kind IN ('removed', 'ended', 'deleted', 'requeued');

-- Postfix' long ids, Exim's ids and Message-IDs are never reused.
CREATE OR REPLACE MACRO is_never_reused(id) AS regexp_matches(
    id,
    '^[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]+$|^.{6}-.{6,11}-.{2,4}$|@'
);

CREATE OR REPLACE MACRO seconds_between(start_at, end_at) AS (epoch_us(end_at) - epoch_us(start_at)) / 1e6;

CREATE OR REPLACE MACRO domain_of(address) AS regexp_extract(address, '@([^@]*)$', 1);

-- local+tag@domain -> local@domain (trap 13)
CREATE OR REPLACE MACRO without_tag(address) AS regexp_replace(address, '^([^+@"]+)\+[^@]*@', '\1@');

-- Refused as an unknown mailbox: enhanced status 5.1.1 / 5.1.0 / 5.1.10 (RFC 3463), or the words of the common servers.
CREATE OR REPLACE MACRO is_unknown_mailbox(dsn, reply) AS
    coalesce(dsn IN ('5.1.1', '5.1.10'), false)
    OR regexp_matches(
        lower(coalesce(reply, '')),
        'user unknown|unknown user|no such (user|mailbox|recipient|address)|mailbox (not found|unavailable|does not exist)|unknown (recipient|mailbox|address)|recipient (unknown|not found|rejected: user unknown)|(user|address|recipient|account) (does not|doesn.t) exist|unrouteable address|recipnotfound|invalid (recipient|mailbox)'
    );

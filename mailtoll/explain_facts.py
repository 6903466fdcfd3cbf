"""What the replayed ladder knows of one subject: its deliveries, their legs and lines, the cells that they count in."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb
import polars as pl

from expectations.tables import CELLS, DELIVERIES
from mailtoll.explain_subject import Subject
from transforms import impact
from transforms.falls import file_of


@dataclass(frozen=True)
class Leg:
    """One queue file that a delivery passed through; `number` counts from 1, `former` is the leg that it continues.

    `link` is the rule that ties it to the former leg: `reply`, `former_id` or `message_id`; None for the first.
    """

    number: int
    host: str
    queue_id: str
    arrived_at: datetime
    ended_at: datetime | None
    end_kind: str | None
    has_arrival_line: bool
    former: int | None
    link: str | None


@dataclass(frozen=True)
class Line:
    """Where a log line stands; `others` are addresses of other people on it, which are not to be shown."""

    source_id: str
    line_number: int
    leg: int
    logged_at: datetime
    others: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """One delivery with its evidence: `row` has the columns of DELIVERIES, `decided` what the deciding line stated.

    `fault` has the columns of FAULTS; it is empty where the delivery was neither late nor lost.
    """

    row: dict[str, Any]
    decided: dict[str, Any]
    fault: dict[str, Any]
    legs: tuple[Leg, ...]
    lines: tuple[Line, ...]
    lines_of_others: int


@dataclass(frozen=True)
class Facts:
    """All of one subject: its deliveries by arrival, and the grid counted over nothing but them (CELLS)."""

    deliveries: tuple[Told, ...] = ()
    cells: pl.DataFrame = field(default_factory=CELLS.empty)
    table: pl.DataFrame = field(default_factory=DELIVERIES.empty)


def facts_of(db: duckdb.DuckDBPyConnection, subject: Subject) -> Facts:
    """Return the facts of a subject from a database in which the ladder has run (`explain_replay.replay`)."""
    condition, parameters = subject.condition()
    db.execute(_EXPLAINED.format(condition=condition), parameters)
    db.execute(_EVIDENCE)
    rows = _by_delivery(db, "SELECT * EXCLUDE (root) FROM explained ORDER BY delivery")
    decided = _by_delivery(db, "SELECT * FROM decided_by")
    legs = _by_delivery(db, "SELECT * EXCLUDE (leg) FROM told_legs ORDER BY delivery, number")
    faults = _by_delivery(
        db, "SELECT delivery, faults.* FROM explained JOIN faults USING (message_key, mailbox_or_address)"
    )
    lines = _by_delivery(db, "SELECT * FROM told_lines ORDER BY delivery, logged_at, position, line_number")
    hidden = _by_delivery(db, "SELECT * FROM hidden_lines")
    told = tuple(
        Told(
            row=_without_number(found[0]),
            decided=_without_number(decided.get(number, [{}])[0]),
            fault=_without_number(faults.get(number, [{}])[0]),
            legs=tuple(Leg(**_without_number(leg)) for leg in legs.get(number, [])),
            lines=tuple(_line(line) for line in lines.get(number, [])),
            lines_of_others=sum(row["lines"] for row in hidden.get(number, [])),
        )
        for number, found in rows.items()
    )
    db.execute("CREATE OR REPLACE VIEW deliveries AS SELECT * EXCLUDE (delivery, root) FROM explained")
    table = impact.table(db, "deliveries", DELIVERIES).sort("arrived_at", "message_key", "mailbox_or_address")
    impact.run_files(db, impact.GRID)
    return Facts(told, impact.table(db, "cells", CELLS), table)


def _by_delivery(db: duckdb.DuckDBPyConnection, query: str) -> dict[int, list[dict[str, Any]]]:
    rows: dict[int, list[dict[str, Any]]] = {}
    for row in db.sql(query).pl().iter_rows(named=True):
        rows.setdefault(row["delivery"], []).append(row)
    return rows


def _without_number(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "delivery"}


def _line(row: dict[str, Any]) -> Line:
    others = tuple(sorted(row["others"] or [], key=len, reverse=True))  # the longest first: one may contain another
    return Line(file_of(row["source_id"]), row["line_number"], row["number"], row["logged_at"], others)


_EXPLAINED = """
    CREATE OR REPLACE TABLE explained AS
    SELECT
        row_number() OVER (ORDER BY deliveries.arrived_at, message_key, mailbox_or_address) AS delivery,
        deliveries.*,
        roots.root
    FROM deliveries
    JOIN roots ON roots.host = deliveries.host AND roots.queue_id = deliveries.queue_id
        AND epoch_ms(roots.arrived_at) = epoch_ms(deliveries.arrived_at)
    WHERE {condition}
"""

_EVIDENCE = """
    CREATE OR REPLACE TABLE own_rows AS
    SELECT explained.delivery, explained.outcome, judged.*
    FROM explained
    JOIN judged ON judged.root = explained.root AND judged.target = explained.mailbox_or_address;

    CREATE OR REPLACE TABLE decided_by AS  -- the row whose state became the outcome
    SELECT
        own_rows.delivery, own_rows.final_status AS status, own_rows.dsn, own_rows.reply,
        own_rows.child IS NOT NULL AS is_handed_on, holding.queue_id, holding.end_kind, holding.ended_at,
        holding.expired_at, holding.is_listed
    FROM own_rows
    JOIN legs AS holding ON holding.leg = own_rows.holder
    WHERE own_rows.state = own_rows.outcome
    QUALIFY row_number() OVER (
        PARTITION BY own_rows.delivery
        ORDER BY CASE WHEN own_rows.state = 'delivered' THEN own_rows.state_at END, own_rows.depth DESC, own_rows.leg
    ) = 1;

    CREATE OR REPLACE TABLE own_names AS
    SELECT DISTINCT delivery, unnest([recipient, original_recipient, written, mailbox]) AS name FROM own_rows;

    CREATE OR REPLACE TABLE links AS
    SELECT child, leg, arg_min(rule, rank) AS rule
    FROM (
        SELECT child, leg, rule, 1 AS rank FROM hops
        UNION ALL
        SELECT child, leg, 'reply', 1 FROM replies
        UNION ALL
        SELECT child, leg, 'former_id', 2 FROM former_legs
    )
    GROUP BY child, leg;

    CREATE OR REPLACE TABLE told_legs AS
    WITH RECURSIVE
    walk AS (
        SELECT DISTINCT delivery, unnest([leg, holder]) AS leg FROM own_rows
        UNION
        SELECT walk.delivery, links.leg
        FROM walk
        JOIN links ON links.child = walk.leg
        JOIN chains AS former ON former.leg = links.leg
        JOIN chains AS later ON later.leg = links.child AND later.root = former.root
    ),
    numbered AS (
        SELECT delivery, leg, row_number() OVER (PARTITION BY delivery ORDER BY depth, leg) AS number
        FROM walk JOIN chains USING (leg)
    )
    SELECT
        numbered.delivery, numbered.number, numbered.leg, legs.host, legs.queue_id, legs.arrived_at, legs.ended_at,
        legs.end_kind, legs.has_arrival_line, min(former.number) AS former, arg_min(links.rule, former.number) AS link
    FROM numbered
    JOIN legs USING (leg)
    LEFT JOIN links ON links.child = numbered.leg
    LEFT JOIN numbered AS former
        ON former.delivery = numbered.delivery AND former.leg = links.leg AND former.number < numbered.number
    GROUP BY ALL;

    CREATE OR REPLACE TABLE told_facts AS
    WITH
    of_legs AS (
        SELECT told_legs.delivery, told_legs.number, facts.*
        FROM told_legs
        JOIN legs USING (leg)
        JOIN facts ON facts.host = legs.host AND facts.queue_id = legs.queue_id AND facts.lifetime = legs.lifetime
        UNION ALL BY NAME
        SELECT told_legs.delivery, told_legs.number, events.*
        FROM told_legs
        JOIN legs USING (leg)
        JOIN events ON events.queue_id = legs.queue_id AND events.kind = 'snapshot'
        WHERE legs.is_listed
    )
    SELECT
        of_legs.*,
        recipient IS NULL OR recipient_name.name IS NOT NULL OR original_name.name IS NOT NULL AS is_own
    FROM of_legs
    LEFT JOIN own_names AS recipient_name
        ON recipient_name.delivery = of_legs.delivery AND recipient_name.name = of_legs.recipient
    LEFT JOIN own_names AS original_name
        ON original_name.delivery = of_legs.delivery AND original_name.name = of_legs.original_recipient;

    CREATE OR REPLACE TABLE told_lines AS
    SELECT
        delivery, number, source_id, line_number,
        min(logged_at) AS logged_at,
        coalesce(any_value(position), 1000000) AS position,
        list_distinct(flatten(list([recipient, original_recipient]) FILTER (NOT is_own))) AS others
    FROM told_facts
    LEFT JOIN sources USING (source_id)
    GROUP BY delivery, number, source_id, line_number
    HAVING bool_or(is_own);

    CREATE OR REPLACE TABLE hidden_lines AS
    SELECT delivery, count(DISTINCT (source_id, line_number)) AS lines
    FROM told_facts
    ANTI JOIN told_lines USING (delivery, source_id, line_number)
    GROUP BY delivery;
"""

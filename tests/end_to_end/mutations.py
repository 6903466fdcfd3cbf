"""Errors that somebody could make in the SQL: a text of one file, found there exactly once, and what it becomes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One planted error. `old` spans as little as makes it unique; `with_listing`: it shows only beside a listing."""

    name: str
    file: str
    old: str
    new: str
    with_listing: bool = False


ASSUMPTIONS = "56_assumptions.sql"
LINKED, PLAIN, LIFETIMES = "07_linked.sql", "09_plain.sql", "10_lifetimes.sql"
LEGS, CHAINS = "20_legs.sql", "30_chains.sql"
ADDRESSES, DELIVERIES, CELLS, BOUNDS, PEOPLE = (
    "37_addresses.sql",
    "40_deliveries.sql",
    "50_cells.sql",
    "55_bounds.sql",
    "80_people.sql",
)

EDGES = (
    Mutation("late only above D", CELLS, "delay_seconds >= by_delay.at_least", "delay_seconds > by_delay.at_least"),
    Mutation(
        "a window without its start", CELLS, "ON deliveries.arrived_at >= windows", "ON deliveries.arrived_at > windows"
    ),
    Mutation("a window with its end", CELLS, "deliveries.arrived_at < windows", "deliveries.arrived_at <= windows"),
    Mutation("a ladder late only above D", PEOPLE, "ON longest_seconds >= threshold", "ON longest_seconds > threshold"),
)
FILTERS = (
    Mutation("bulk mail is not left out", CELLS, "    WHERE NOT is_bulk\n", ""),
    Mutation("outbound mail counts", DELIVERIES, "    FROM judged\n    WHERE is_local\n", "    FROM judged\n"),
    Mutation(
        "plain outbound mail counts", DELIVERIES, "    FROM plain_rows\n    WHERE is_local\n", "    FROM plain_rows\n"
    ),
    Mutation(
        "lost mail is late",
        CELLS,
        "outcome IN ('delivered', 'pending') THEN coalesce(by_delay",
        "outcome <> 'x' THEN coalesce(by_delay",
    ),
    Mutation(
        "pending mail is not late",
        CELLS,
        "outcome IN ('delivered', 'pending') THEN coalesce(by_delay",
        "outcome = 'delivered' THEN coalesce(by_delay",
    ),
    Mutation("lost mail counts nowhere", CELLS, "outcome = 'lost' AS is_lost", "false AS is_lost"),
    Mutation(
        "notices count as messages",
        ADDRESSES,
        "WHERE NOT chains.is_notice\nGROUP BY chains.root",
        "GROUP BY chains.root",
    ),
    Mutation(
        "what was refused as unknown is lost",
        DELIVERIES,
        "THEN 'rejected_recipient'\n        WHEN child",
        "THEN 'lost'\n        WHEN child",
    ),
    Mutation(
        "what a plain file was refused is lost",
        DELIVERIES,
        "WHEN is_unknown_mailbox THEN 'rejected_recipient'",
        "WHEN false THEN 'rejected_recipient'",
    ),
)
JOINS = (
    Mutation("a join that fans out by threshold", CELLS, " AND deliveries.delay_seconds < by_delay.below", ""),
    Mutation(
        "a join that fans out by record",
        ADDRESSES,
        "asked.arrived_date BETWEEN exact.valid_from AND exact.valid_to",
        "true",
    ),
    Mutation(
        "a join that fans out by bulk pattern",
        DELIVERIES,
        "SELECT DISTINCT sender FROM (",
        "SELECT sender FROM (",
    ),
    Mutation(
        "whoever is in both segments counts twice in all",
        CELLS,
        "messages, unit, window_number, 'all' AS segment, entity,",
        "messages, unit, window_number, 'all' AS segment, segment || entity AS entity,",
    ),
)
PEOPLE_OF = (
    Mutation(
        "a stranger gets a segment",
        DELIVERIES,
        "coalesce(timed.segment, 'unmatched')",
        "coalesce(timed.segment, 'business')",
    ),
    Mutation("accounts are counted by mailbox", CELLS, "account_id AS entity", "mailbox AS entity"),
    Mutation("customers are counted by account", CELLS, "customer_id AS entity", "account_id AS entity"),
    Mutation(
        "the day is that of UTC", ADDRESSES, "(moment_at AT TIME ZONE timezone)", "(moment_at AT TIME ZONE 'UTC')"
    ),
    Mutation(
        "tags are not taken off",
        ADDRESSES,
        "untagged.address = without_tag(asked.address)",
        "untagged.address = asked.address",
    ),
)
MESSAGES = (
    Mutation(
        "a file that others name is plain",
        LINKED,
        "SELECT related_queue_id AS queue_id FROM events WHERE related_queue_id IS NOT NULL",
        "SELECT queue_id FROM events WHERE false",
    ),
    Mutation("a recipient without an end is plain", PLAIN, "WHERE is_questioned", "WHERE false"),
    Mutation(
        "hand-overs by reply are missed",
        CHAINS,
        "SELECT *, 'reply' AS rule\nFROM replies\n",
        "SELECT *, 'reply' AS rule\nFROM (FROM replies WHERE false)\n",
    ),
    Mutation(
        "hand-overs by requeue are missed",
        CHAINS,
        "SELECT *, 'former_id' FROM taken_over",
        "SELECT *, 'former_id' FROM taken_over WHERE false",
    ),
    Mutation(
        "delay begins at the last queue file",
        ADDRESSES,
        "arg_min(legs.arrived_at, chains.depth) AS arrived_at",
        "arg_max(legs.arrived_at, chains.depth) AS arrived_at",
    ),
    Mutation(
        "a requeue is not followed",
        DELIVERIES,
        "WHERE parent.end_kind = 'requeued'",
        "WHERE parent.end_kind = 'removed'",
    ),
    Mutation(
        "an arrival begins no new lifetime",
        LIFETIMES,
        "WHEN place = 1 OR kind = 'arrived' THEN true",
        "WHEN place = 1 THEN true",
    ),
    Mutation(
        "what an operator deleted is not lost",
        DELIVERIES,
        "WHEN holding.expired_at IS NOT NULL OR holding.end_kind IN ('deleted', 'ended') THEN 'lost'",
        "WHEN holding.expired_at IS NOT NULL THEN 'lost'",
    ),
    Mutation(
        "what expired is not lost",
        DELIVERIES,
        "WHEN holding.expired_at IS NOT NULL OR holding.end_kind",
        "WHEN holding.end_kind",
    ),
    Mutation(
        "what a listing lacks is pending", DELIVERIES, "WHEN listings.is_there AND", "WHEN false AND", with_listing=True
    ),
    Mutation(
        "the last of an end's repetitions counts",
        LEGS,
        "coalesce(min(moment) FILTER (is_final(status) AND status <> 'forwarded')",
        "coalesce(max(moment) FILTER (is_final(status) AND status <> 'forwarded')",
    ),
)
FIGURES = (
    Mutation("an assumption widens the range", ASSUMPTIONS, "THEN causes.units WHEN", "THEN causes.units + 1 WHEN"),
    Mutation("an assumption proves too much", ASSUMPTIONS, "least(added.measured, greatest(", "(1 + greatest("),
    Mutation(
        "the incident is part of its baseline", CELLS, "avg(measured) FILTER (window_number > 0)", "avg(measured)"
    ),
    Mutation(
        "an ordinary window is left out for messages, which the headline doesn't count",
        CELLS,
        "avg(measured) FILTER (window_number > 0)",
        "avg(measured) FILTER (window_number > (unit = 'message')::INTEGER)",
    ),
    Mutation(
        "a baseline without a window is nothing",
        CELLS,
        "avg(measured) FILTER (window_number > 0)",
        "avg(measured) FILTER (window_number > 9)",
    ),
    Mutation("an upper bound below the count", BOUNDS, "measured + width AS upper", "measured - width AS upper"),
    Mutation("a definition is missing", CELLS, "VALUES ('late'), ('late_or_lost')", "VALUES ('late')"),
)

MUTATIONS = (*EDGES, *FILTERS, *JOINS, *PEOPLE_OF, *MESSAGES, *FIGURES)

"""Customer records can only say who was hit if every row is whole and an address leads to one mailbox on any day."""

import polars as pl

from expectations.declared import check_declared, has_declared_types
from expectations.gx import Count, Severity, run_counts
from expectations.tables import CUSTOMER_RECORDS
from expectations.wording import NAMED_AT_MOST, allowed, counted, number
from transforms.gate_limits import GateLimits

_ANSWERED = ("account_id", "segment", "mailbox", "address")  # without one of these a delivery has nobody
_FIRST_DAY, _LAST_DAY = pl.date(1, 1, 1), pl.date(9999, 12, 31)
_REMEDY = "Correct these rows of the customer records, or their dates, and run again."
_RULES: tuple[tuple[str, Severity, str, str], ...] = (
    ("incomplete_records", "fail", "record", "without an account, segment, mailbox or address"),
    ("ambiguous_addresses", "fail", "address", "leading to two mailboxes on one day"),
    ("mailboxes_are_addresses", "warn", "record", "of a mailbox whose own name is no address in the records"),
    ("records_name_a_customer", "warn", "record", "without a customer"),
    ("records_end_after_they_begin", "warn", "record", "with its end before its beginning"),
    ("one_account_per_mailbox", "warn", "record", "of a mailbox with two accounts on one day"),
    ("one_segment_per_account", "warn", "record", "of an account with two segments on one day"),
    ("one_customer_per_account", "warn", "record", "of an account with two customers on one day"),
    ("segments_spelled_one_way", "warn", "record", "of a segment that is also spelled in other letters"),
)


def gates_on_records(records: pl.DataFrame, limits: GateLimits) -> pl.DataFrame:
    """Return GATES rows on CUSTOMER_RECORDS. Rows are named by their number, never by what stands in them."""
    declared = check_declared(records, CUSTOMER_RECORDS, _REMEDY, key_severity="warn")
    if not has_declared_types(records, CUSTOMER_RECORDS):
        return declared
    numbered = records.with_row_index("row", offset=1).with_columns(
        pl.col("valid_from").fill_null(_FIRST_DAY), pl.col("valid_to").fill_null(_LAST_DAY)
    )
    whole = numbered.filter(~_is_incomplete())
    ambiguous = find_overlaps(whole, "address", "mailbox")
    rows = {
        "incomplete_records": numbered.filter(_is_incomplete())["row"],
        "ambiguous_addresses": ambiguous,
        "mailboxes_are_addresses": whole.filter(~pl.col("mailbox").is_in(whole["address"].implode()))["row"],
        "records_name_a_customer": numbered.filter(pl.col("customer_id").is_null())["row"],
        "records_end_after_they_begin": numbered.filter(pl.col("valid_to") < pl.col("valid_from"))["row"],
        "one_account_per_mailbox": find_overlaps(whole, "mailbox", "account_id"),
        "one_segment_per_account": find_overlaps(whole, "account_id", "segment"),
        "one_customer_per_account": find_overlaps(
            whole.filter(pl.col("customer_id").is_not_null()), "account_id", "customer_id"
        ),
        "segments_spelled_one_way": _spelled_twice(whole),
    }
    values = {gate: len(found) for gate, found in rows.items()}
    values["ambiguous_addresses"] = whole.filter(pl.col("row").is_in(ambiguous.implode()))["address"].n_unique()
    maxima = {"incomplete_records": limits.incomplete_records, "ambiguous_addresses": limits.ambiguous_addresses}
    counts = [
        Count(
            gate=gate,
            subject="customer_records",
            severity=severity,
            value=values[gate],
            maximum=maxima.get(gate, 0),
            observed=f"{counted(values[gate], noun, rest)} in {counted(records.height, 'record')}{_where(rows[gate])}",
            limit=allowed(f"at most {number(maxima[gate])}", limits, gate) if gate in maxima else "none (fixed)",
            remedy=_REMEDY,
            nothing="" if records.height else "the customer records have no row: nothing to compare",
        )
        for gate, severity, noun, rest in _RULES
    ]
    return pl.concat([declared.filter(pl.col("gate") != "declared_not_null"), run_counts(counts)])


def find_overlaps(records: pl.DataFrame, of: str, value: str) -> pl.Series:
    """Return the `row` numbers of records where one `of` has two different `value`s on one day, both ends inclusive.

    Spans of the same value are joined first; after that any two spans of an `of` that overlap have different values.
    `valid_from` and `valid_to` must not be null.
    """
    begins_anew = (pl.col("valid_from") > pl.col("reached")).fill_null(True)
    several = records.filter(pl.col(value).n_unique().over(of) > 1, pl.col("valid_from") <= pl.col("valid_to"))
    spans = (
        several.sort(of, value, "valid_from")
        .with_columns(pl.col("valid_to").cum_max().shift(1).over(of, value).alias("reached"))
        .with_columns(begins_anew.cum_sum().over(of, value).alias("span"))
        .group_by(of, value, "span")
        .agg(pl.col("valid_from").min(), pl.col("valid_to").max(), pl.col("row"))
    )
    in_order = spans.sort(of, "valid_from", "valid_to", value)
    overlaps_earlier = pl.col("valid_from") <= pl.col("valid_to").cum_max().shift(1).over(of)
    overlaps_later = pl.col("valid_from").shift(-1).over(of) <= pl.col("valid_to")
    return in_order.filter(overlaps_earlier | overlaps_later)["row"].explode().drop_nulls().sort()


def _spelled_twice(records: pl.DataFrame) -> pl.Series:
    """Return the `row` numbers of records whose segment is like another one but for its case, spaces or signs."""
    plain = pl.col("segment").str.to_lowercase().str.replace_all(r"[\s_-]+", "")
    spellings = records.select("row", spellings=pl.col("segment").n_unique().over(plain))
    return spellings.filter(pl.col("spellings") > 1)["row"]


def _is_incomplete() -> pl.Expr:
    return pl.any_horizontal(pl.col(c).is_null() | (pl.col(c).str.strip_chars() == "") for c in _ANSWERED)


def _where(rows: pl.Series) -> str:
    """Name the first rows by number; whoever holds the records finds them, and nobody else learns anything."""
    if rows.is_empty():
        return ""
    first = ", ".join(number(row) for row in rows.sort().head(NAMED_AT_MOST))
    more = f" and {number(len(rows) - NAMED_AT_MOST)} more" if len(rows) > NAMED_AT_MOST else ""
    return f": data {'row' if len(rows) == 1 else 'rows'} {first}{more}"

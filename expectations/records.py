"""Customer records can only say who was hit if every row is whole and an address leads to one mailbox on any day."""

import polars as pl

from expectations.declared import check_declared
from expectations.gx import Count, Severity, run_counts
from expectations.tables import CUSTOMER_RECORDS
from expectations.wording import NAMED_AT_MOST, allowed, counted, number
from transforms.gate_limits import GateLimits

_ANSWERED = ("account_id", "segment", "mailbox", "address")  # without one of these a delivery has nobody
_FIRST_DAY, _LAST_DAY = pl.date(1, 1, 1), pl.date(9999, 12, 31)
_REMEDY = "Correct these rows of the customer records, or their dates, and run again."


def gates_on_records(records: pl.DataFrame, limits: GateLimits) -> pl.DataFrame:
    """Return GATES rows on CUSTOMER_RECORDS. Rows are named by their number, never by what stands in them."""
    nothing = "" if records.height else "the customer records have no row: nothing to compare"
    declared = check_declared(records, CUSTOMER_RECORDS, _REMEDY, key_severity="warn")
    if not declared.row(by_predicate=pl.col("gate") == "declared_types", named=True)["is_passed"]:
        return declared  # what has the wrong shape cannot be measured further
    numbered = records.with_row_index("row", offset=1).with_columns(
        pl.col("valid_from").fill_null(_FIRST_DAY), pl.col("valid_to").fill_null(_LAST_DAY)
    )
    whole = numbered.filter(~_is_incomplete())
    ambiguous = find_overlaps(whole, "address", "mailbox")
    addresses = whole.filter(pl.col("row").is_in(ambiguous.implode()))["address"].n_unique()
    rows_of = {
        "incomplete": numbered.filter(_is_incomplete())["row"],
        "ambiguous": ambiguous,
        "backwards": numbered.filter(pl.col("valid_to") < pl.col("valid_from"))["row"],
        "nobody": numbered.filter(pl.col("customer_id").is_null())["row"],
        "shared": find_overlaps(whole, "mailbox", "account_id"),
        "two segments": find_overlaps(whole, "account_id", "segment"),
    }

    def count(
        gate: str, severity: Severity, rows: str, words: str, limit: str, value: int | None = None, maximum: int = 0
    ) -> Count:
        found = rows_of[rows]
        value = len(found) if value is None else value
        observed = f"{counted(value, words)} in {counted(records.height, 'record')}{_where(found)}"
        return Count(gate, "customer_records", severity, value, maximum, observed, limit, _REMEDY, nothing)

    counts = [
        count(
            "incomplete_records",
            "fail",
            "incomplete",
            "record without an account, segment, mailbox or address",
            allowed(f"at most {number(limits.incomplete_records)}", limits, "incomplete_records"),
            maximum=limits.incomplete_records,
        ),
        count(
            "ambiguous_addresses",
            "fail",
            "ambiguous",
            "address that leads to two mailboxes on one day",
            allowed(f"at most {number(limits.ambiguous_addresses)}", limits, "ambiguous_addresses"),
            value=addresses,
            maximum=limits.ambiguous_addresses,
        ),
        count("records_name_a_customer", "warn", "nobody", "record without a customer", "none (fixed)"),
        count("records_end_after_they_begin", "warn", "backwards", "record that ends before it begins", "none (fixed)"),
        count(
            "one_account_per_mailbox",
            "warn",
            "shared",
            "record of a mailbox with two accounts on a day",
            "none (fixed)",
        ),
        count(
            "one_segment_per_account", "warn", "two segments", "record of an account with two segments", "none (fixed)"
        ),
    ]
    return pl.concat([declared.filter(pl.col("gate") != "declared_not_null"), run_counts(counts)])


def find_overlaps(records: pl.DataFrame, of: str, value: str) -> pl.Series:
    """Return the `row` numbers of records where one `of` has two different `value`s on one day, both ends inclusive.

    Spans of the same value are joined first; after that any span of an `of` that begins before an earlier one has
    ended overlaps one of another value. `valid_from` and `valid_to` must not be null.
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
    forward = _touches_earlier(spans.sort(of, "valid_from", "valid_to", value), of)
    mirrored = spans.with_columns(
        (-pl.col("valid_to").to_physical()).alias("valid_from"), (-pl.col("valid_from").to_physical()).alias("valid_to")
    )
    backward = _touches_earlier(mirrored.sort(of, "valid_from", "valid_to", value), of)
    return pl.concat([forward, backward]).explode().drop_nulls().unique().sort().alias("row")


def _touches_earlier(spans: pl.DataFrame, of: str) -> pl.Series:
    reached = pl.col("valid_to").cum_max().shift(1).over(of)
    return spans.filter(pl.col("valid_from") <= reached)["row"]


def _is_incomplete() -> pl.Expr:
    return pl.any_horizontal(pl.col(c).is_null() | (pl.col(c).str.strip_chars() == "") for c in _ANSWERED)


def _where(rows: pl.Series) -> str:
    """Name the first rows by number; whoever holds the records finds them, and nobody else learns anything."""
    if rows.is_empty():
        return ""
    first = ", ".join(number(row) for row in rows.sort().head(NAMED_AT_MOST))
    more = f" and {number(len(rows) - NAMED_AT_MOST)} more" if len(rows) > NAMED_AT_MOST else ""
    return f": data {'row' if len(rows) == 1 else 'rows'} {first}{more}"

"""The quality gates' checks: small frames and what must hold of them in, GATES rows out.

Great Expectations fingerprints every cell of a pandas frame in Python (10 s for a million rows of four columns), so it
is handed *measures*: counts that Polars made from the big tables, or a table that is small by nature.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from expectations.judge import Judged
from expectations.judge_aside import verdicts
from expectations.tables import GATES
from expectations.wording import listed

Severity = Literal["fail", "warn"]

_UNASKED = (None, None, None)


@dataclass(frozen=True)
class Check:
    """One gate: an expectation by the name of its class, and the words that go with it.

    `observed` says what was measured; where `shown_by` names a column, the rows that breach are named after it.
    `nothing` is said instead when there was nothing to compare, which fails whatever the expectation says.
    """

    gate: str
    subject: str
    severity: Severity
    expectation: str
    arguments: Mapping[str, Any]
    observed: str
    limit: str
    remedy: str
    shown_by: str = ""
    nothing: str = ""


@dataclass(frozen=True)
class Count:
    """One gate on a number, or on one number per named part (file, host, column): how much breaches a rule.

    A number equal to `maximum` passes; the parts that are above it are named. `nothing` as in `Check`.
    """

    gate: str
    subject: str
    severity: Severity
    value: float | Mapping[str, float]
    maximum: float
    observed: str
    limit: str
    remedy: str
    nothing: str = ""


def run_checks(frame: pl.DataFrame, checks: Sequence[Check]) -> pl.DataFrame:
    """Return one GATES row per check, in their order. An expectation that cannot be computed raises RuntimeError.

    `frame` must be small and hold no null in the columns that are compared. An empty frame fails every check.
    """
    places = [place for place, check in enumerate(checks) if frame.height and not check.nothing]
    found = dict(zip(places, _validate(frame, [checks[place] for place in places]), strict=True))
    rows = []
    for place, check in enumerate(checks):
        judged = found.get(place)
        names = [str(breach[check.shown_by]) for breach in judged.breaches] if judged and check.shown_by else []
        nothing = "" if judged else check.nothing or f"nothing to compare in {check.subject}"
        asked = (_spelled(check), judged.compared, len(judged.breaches)) if judged else _UNASKED
        rows.append(_row(check, judged is not None and judged.is_passed, names, nothing, asked))
    return _gates(rows)


def run_counts(counts: Sequence[Count]) -> pl.DataFrame:
    """Return one GATES row per count, in their order. All are one expectation: no value is above its maximum."""
    rows = [
        (place, name, math.inf if math.isnan(value) else float(value), float(count.maximum))
        for place, count in enumerate(counts)
        for name, value in (count.value.items() if isinstance(count.value, Mapping) else [("", count.value)])
    ]
    frame = pl.DataFrame(rows, schema=["place", "part", "value", "maximum"], orient="row")
    within = Check(
        gate="within its maximum",
        subject=counts[0].subject if counts else "",
        severity="fail",
        expectation="ExpectColumnPairValuesAToBeGreaterThanB",
        arguments={"column_A": "maximum", "column_B": "value", "or_equal": True},
        observed="",
        limit="",
        remedy="",
    )
    breaches = _validate(frame, [within])[0].breaches if rows else []
    compared = Counter(row[0] for row in rows)
    gates = []
    for place, count in enumerate(counts):
        names = [str(breach["part"]) for breach in breaches if breach["place"] == place]
        nothing = count.nothing or ("" if place in compared else f"nothing to compare in {count.subject}")
        asked = (_spelled(within), compared[place], len(names)) if place in compared else _UNASKED
        gates.append(_row(count, not names and not nothing, [name for name in names if name], nothing, asked))
    return _gates(gates)


def _row(
    check: Check | Count,
    is_passed: bool,
    names: list[str],
    nothing: str,
    asked: tuple[str | None, int | None, int | None],
) -> tuple[object, ...]:
    observed = nothing or (f"{check.observed}: {listed(names)}" if names else check.observed)
    return check.gate, check.subject, check.severity, is_passed, observed, check.limit, check.remedy, *asked


def _spelled(check: Check) -> str:
    """Return the expectation as one would write it: `ExpectColumnValuesToBeBetween(column='bad', max_value=2)`."""
    return f"{check.expectation}({', '.join(f'{name}={value!r}' for name, value in check.arguments.items())})"


def _gates(rows: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(GATES.schema), orient="row") if rows else GATES.empty()


def _validate(frame: pl.DataFrame, checks: Sequence[Check]) -> list[Judged]:
    """Return for each check what was found; a row in breach has the check's columns and those of `shown_by`."""
    if not checks:
        return []
    parts = [name for name in frame.columns if name in ("place", "part")]
    shown = parts or sorted({c.shown_by for c in checks if c.shown_by})
    found = verdicts(frame.to_arrow(), [(check.expectation, dict(check.arguments)) for check in checks], shown)
    for check, judged in zip(checks, found, strict=True):
        if judged.trouble:
            raise RuntimeError(f"gate {check.gate} on {check.subject} could not be computed: {judged.trouble}")
    return found

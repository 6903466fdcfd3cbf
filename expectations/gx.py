"""Great Expectations, called from one small function: a small frame and its checks in, GATES rows out.

Great Expectations fingerprints every cell of a pandas frame in Python (10 s for a million rows), so it is handed
*measures*: small frames of counts (one row per file, host or column) that Polars made from the big tables, or a table
that is small by nature. It takes seconds to import: `preload` starts that beside the parsing, and nothing imports it
before it is needed. The context is ephemeral: no file is written, no network is used, nothing is reported home.
"""

import contextlib
import importlib
import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import polars as pl

from expectations.tables import GATES
from expectations.wording import listed

Severity = Literal["fail", "warn"]

_ONE_AT_A_TIME = threading.Lock()


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


def preload() -> threading.Thread:
    """Start to import Great Expectations in the background and return the thread; harmless when repeated."""
    _import_deprecated_parts()
    thread = threading.Thread(target=_import_quietly, name="import-great-expectations", daemon=True)
    thread.start()
    return thread


def run_checks(frame: pl.DataFrame, checks: Sequence[Check]) -> pl.DataFrame:
    """Return one GATES row per check, in their order. An expectation that cannot be computed raises RuntimeError.

    `frame` must be small and hold no null in the columns that are compared. An empty frame fails every check.
    """
    comparable = [c for c in checks if not c.nothing] if frame.height else []
    results = _validate(frame, comparable) if comparable else {}
    rows = []
    for check in checks:
        if check in comparable:
            is_passed, offenders = results[comparable.index(check)]
            observed = f"{check.observed}: {listed(offenders)}" if offenders else check.observed
        else:
            is_passed, observed = False, check.nothing or f"nothing to compare in {check.subject}"
        rows.append(_row(check, is_passed, observed))
    return pl.DataFrame(rows, schema=dict(GATES.schema), orient="row") if rows else GATES.empty()


@dataclass(frozen=True)
class Count:
    """One gate on one number: how many things breach a rule, and how many may."""

    gate: str
    subject: str
    severity: Severity
    value: float
    maximum: float
    observed: str
    limit: str
    remedy: str
    nothing: str = ""


def run_counts(counts: Sequence[Count]) -> pl.DataFrame:
    """Return one GATES row per count, in their order; a count equal to its maximum passes."""
    names = [f"{place} {count.gate}" for place, count in enumerate(counts)]
    frame = pl.DataFrame({name: [float(count.value)] for name, count in zip(names, counts, strict=True)})
    return run_checks(
        frame,
        [
            Check(
                gate=count.gate,
                subject=count.subject,
                severity=count.severity,
                expectation="ExpectColumnValuesToBeBetween",
                arguments={"column": name, "max_value": count.maximum},
                observed=count.observed,
                limit=count.limit,
                remedy=count.remedy,
                nothing=count.nothing,
            )
            for name, count in zip(names, counts, strict=True)
        ],
    )


def _row(check: Check, is_passed: bool, observed: str) -> tuple[object, ...]:
    return check.gate, check.subject, check.severity, is_passed, observed, check.limit, check.remedy


@cache
def _modules() -> tuple[Any, Any, Any]:
    _import_deprecated_parts()
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    library = importlib.import_module("great_expectations")
    classes = importlib.import_module("great_expectations.expectations")
    context = library.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = {"globally": False}
    return library, classes, context.data_sources.add_pandas("frames")


def _import_deprecated_parts() -> None:
    """Import the parts of the standard library that it uses and that warn, so that its own import is silent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        importlib.import_module("sre_constants")
        importlib.import_module("sre_parse")


def _import_quietly() -> None:
    with contextlib.suppress(Exception), _ONE_AT_A_TIME:  # whoever needs it meets the same error, and says so
        _modules()


def _validate(frame: pl.DataFrame, checks: Sequence[Check]) -> dict[int, tuple[bool, list[str]]]:
    """Return, by the check's place, whether it passed and the names of the rows that breach it."""
    shown_by = sorted({c.shown_by for c in checks if c.shown_by})
    with _ONE_AT_A_TIME:
        library, classes, source = _modules()
        suite = library.ExpectationSuite(
            name="gates",
            expectations=[
                getattr(classes, check.expectation)(**check.arguments, meta={"place": place})
                for place, check in enumerate(checks)
            ],
        )
        asset = source.add_dataframe_asset("frame")
        try:
            batch = asset.add_batch_definition_whole_dataframe("all").get_batch(
                {"dataframe": frame.to_pandas(use_pyarrow_extension_array=True)}
            )
            outcome = batch.validate(
                suite, result_format={"result_format": "COMPLETE", "unexpected_index_column_names": shown_by}
            )
        finally:
            source.delete_asset("frame")
    found = {}
    for result in outcome.results:
        place = result.expectation_config.meta["place"]
        check = checks[place]
        if not result.success and not result.result:
            raise RuntimeError(f"gate {check.gate} on {check.subject} could not be computed: {result.exception_info}")
        breaches = result.result.get("unexpected_index_list") or []
        found[place] = bool(result.success), [str(b[check.shown_by]) for b in breaches] if check.shown_by else []
    return found

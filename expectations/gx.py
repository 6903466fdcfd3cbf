"""Great Expectations, called from one small module: small frames and their checks in, GATES rows out.

Great Expectations fingerprints every cell of a pandas frame in Python (10 s for a million rows of four columns) and
takes about 25 ms per expectation, so it is handed *measures*: counts that Polars made from the big tables, or a table
that is small by nature. It takes seconds to import: `preload` starts that beside the parsing, and nothing imports it
before it is needed. The context is ephemeral: no file is written, no network is used, nothing is reported home.
"""

import contextlib
import importlib
import importlib.util
import math
import os
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Literal

import polars as pl

from expectations.tables import GATES
from expectations.wording import listed

Severity = Literal["fail", "warn"]

_IMPORTED_AT_FIRST_USE = ("altair", "scipy.stats")
"""Libraries of charts and tests of distributions: 530 modules, 1.6 of 3.2 CPU seconds."""
_ONE_AT_A_TIME = threading.Lock()
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
class _Judged:
    """What Great Expectations found of one check: its rows in breach, and how many values it compared (if it says)."""

    is_passed: bool
    breaches: list[dict[str, Any]]
    compared: int | None


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


@cache
def _modules() -> tuple[Any, Any, Any]:
    """Return the library, its expectation classes, and the definition of a batch that is a whole pandas frame."""
    _import_deprecated_parts()
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with _imported_at_first_use():
        library = importlib.import_module("great_expectations")
        classes = importlib.import_module("great_expectations.expectations")
    context = library.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    return library, classes, asset.add_batch_definition_whole_dataframe("whole")


def _import_deprecated_parts() -> None:
    """Import the parts of the standard library that it uses and that warn, so that its own import is silent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        importlib.import_module("sre_constants")
        importlib.import_module("sre_parse")


class _FirstUse:
    """Finds the modules of `_IMPORTED_AT_FIRST_USE`, whose code then runs when something of theirs is asked for."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the module's spec with a lazy loader; None for all others, and where it is not installed."""
        spec = PathFinder.find_spec(name, path, target) if name in _IMPORTED_AT_FIRST_USE else None
        if spec and spec.loader:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextlib.contextmanager
def _imported_at_first_use() -> Iterator[None]:
    sys.meta_path.insert(0, _FirstUse)
    try:
        yield
    finally:
        sys.meta_path.remove(_FirstUse)


def _import_quietly() -> None:
    with contextlib.suppress(Exception), _ONE_AT_A_TIME:  # whoever needs it meets the same error, and says so
        _modules()


def _validate(frame: pl.DataFrame, checks: Sequence[Check]) -> list[_Judged]:
    """Return for each check what was found; a row in breach has the check's columns and those of `shown_by`."""
    if not checks:
        return []
    parts = [name for name in frame.columns if name in ("place", "part")]
    shown = parts or sorted({c.shown_by for c in checks if c.shown_by})
    with _ONE_AT_A_TIME:
        library, classes, whole = _modules()
        suite = library.ExpectationSuite(
            name="gates",
            expectations=[
                getattr(classes, check.expectation)(**check.arguments, meta={"number": number})
                for number, check in enumerate(checks)
            ],
        )
        batch = whole.get_batch({"dataframe": frame.to_pandas(use_pyarrow_extension_array=True)})
        outcome = batch.validate(
            suite, result_format={"result_format": "COMPLETE", "unexpected_index_column_names": shown}
        )
    found: dict[int, _Judged] = {}
    for result in outcome.results:
        number = result.expectation_config.meta["number"]
        if not result.success and not result.result:
            check = checks[number]
            raise RuntimeError(f"gate {check.gate} on {check.subject} could not be computed: {result.exception_info}")
        breaches = result.result.get("unexpected_index_list") or []
        found[number] = _Judged(bool(result.success), breaches, result.result.get("element_count"))
    return [found[number] for number in range(len(checks))]

"""Great Expectations itself: a small frame and what is asked of it in, verdicts out. No other module knows the library.

It takes about 25 ms per expectation and two seconds to import, which nothing but its first use does. The context is
ephemeral: no file is written, no network is used, nothing is reported home.
"""

import contextlib
import importlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

import pyarrow as pa

Question = tuple[str, dict[str, Any]]
"""The name of an expectation's class, and its arguments."""

_IMPORTED_AT_FIRST_USE = ("altair", "jsonschema", "mistune", "scipy.stats")
"""Libraries of charts, schemas, markup and tests of distributions: 650 modules, half of the import."""


@dataclass(frozen=True)
class Judged:
    """What was found of one question: the rows in breach, and how many values were compared (if the library says).

    `trouble` says why it could not be computed; then the rest means nothing.
    """

    is_passed: bool
    breaches: list[dict[str, Any]]
    compared: int | None
    trouble: str = ""


def load() -> None:
    """Import the library, unless that was done before."""
    _modules()


def judge(frame: pa.Table, questions: Sequence[Question], shown: Sequence[str]) -> list[Judged]:
    """Return one verdict per question, in their order; a row in breach has the columns asked about and `shown`."""
    library, classes, whole, pandas = _modules()
    suite = library.ExpectationSuite(
        name="gates",
        expectations=[
            getattr(classes, name)(**arguments, meta={"number": number})
            for number, (name, arguments) in enumerate(questions)
        ],
    )
    batch = whole.get_batch({"dataframe": frame.to_pandas(split_blocks=True, types_mapper=pandas.ArrowDtype)})
    outcome = batch.validate(
        suite, result_format={"result_format": "COMPLETE", "unexpected_index_column_names": list(shown)}
    )
    found: dict[int, Judged] = {}
    for result in outcome.results:
        is_computed = result.success or result.result
        found[result.expectation_config.meta["number"]] = Judged(
            bool(result.success),
            result.result.get("unexpected_index_list") or [],
            result.result.get("element_count"),
            "" if is_computed else str(result.exception_info),
        )
    return [found[number] for number in range(len(questions))]


@cache
def _modules() -> tuple[Any, Any, Any, Any]:
    """Return the library, its expectation classes, the definition of a batch that is a whole frame, and pandas."""
    _import_deprecated_parts()
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with _imported_at_first_use():
        library = importlib.import_module("great_expectations")
        classes = importlib.import_module("great_expectations.expectations")
    context = library.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    whole = asset.add_batch_definition_whole_dataframe("whole")
    return library, classes, whole, importlib.import_module("pandas")


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

"""Read a file of corrections to the customer records (YAML, a list of entries).

- select: {account_id: A17}            # records that have these values; an empty one: none is given
  set: {segment: business}             # or `remove: true`
  expect: 3                            # how many records that must be
  reason: billed as a firm since 2012  # why
  who: J. Doe, customer care           # and who says so
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from sources.corrections import Correction, Value
from sources.errors import BadInput
from sources.records_file import dates_of
from sources.records_spelling import conformed

_KEYS = ("select", "set", "remove", "expect", "reason", "who")


def read_corrections(path: Path, uri: str, columns: tuple[str, ...]) -> list[Correction]:
    """Return the corrections in the file at `path`; values are spelled as the records are.

    `BadInput` names `uri` and the entry at fault.
    """
    try:
        entries = yaml.load(path.read_bytes(), Loader=yaml.BaseLoader)  # noqa: S506  # texts only: it makes no objects
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{uri} is not YAML ({str(error).splitlines()[0]}); write a list of corrections.") from None
    if not isinstance(entries, list):
        raise BadInput(f"{uri}: a list of corrections is wanted, each with {', '.join(_KEYS)}.")
    return [_read(entry, f"{uri}, correction {number}", columns) for number, entry in enumerate(entries, start=1)]


def _read(entry: object, where: str, columns: tuple[str, ...]) -> Correction:
    if not isinstance(entry, dict):
        raise BadInput(f"{where}: keys and values are wanted: {', '.join(_KEYS)}.")
    if unknown := [key for key in entry if key not in _KEYS]:
        raise BadInput(f"{where}: key {unknown[0]!r} is not known; the keys are {', '.join(_KEYS)}.")
    if missing := [key for key in ("select", "expect", "reason", "who") if not entry.get(key)]:
        raise BadInput(f"{where} lacks key {missing[0]!r}; add it.")
    if ("set" in entry) == (entry.get("remove") == "true"):
        raise BadInput(f"{where}: either give `set` with new values, or `remove: true`.")
    if not str(entry["expect"]).isdigit():
        raise BadInput(f"{where}: expect is {entry['expect']!r}; write how many records it must meet.")
    sets = _values(entry["set"], f"{where}, set", columns) if "set" in entry else None
    select = _values(entry["select"], f"{where}, select", columns)
    return Correction(select, sets, int(entry["expect"]), str(entry["reason"]), str(entry["who"]))


def _values(given: object, where: str, columns: tuple[str, ...]) -> Mapping[str, Value]:
    """Return values in the records' types and spelling."""
    if not isinstance(given, dict) or not given:
        raise BadInput(f"{where}: columns and values are wanted, such as {{account_id: A17}}.")
    if unknown := [name for name in given if name not in columns]:
        raise BadInput(f"{where}: column {unknown[0]!r} is not known; the columns are {', '.join(columns)}.")
    row: dict[str, Any] = {name: str(given.get(name, "")) for name in columns}
    frame = dates_of(pl.DataFrame([row], schema=dict.fromkeys(columns, pl.String)), where, None)
    spelled: dict[str, str | date | None] = conformed(frame).row(0, named=True)
    return {name: spelled[name] for name in given}

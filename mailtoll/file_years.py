"""The year in which each pulled log file begins, where its stamps carry none.

Rule: the declared `year:` of its entry; else the year in the clocks of the queue ids of the entry's files (Postfix's
long ids); else the year that brings the log nearest to the instants that the incident file names. Files of one entry
are dated together, in whatever order they are given (`transforms.years`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice

import polars as pl

from mailtoll.run import Run
from sources.compression import open_decompressed
from sources.errors import BadInput
from transforms.id_clocks import typical_clock
from transforms.lines import read_lines
from transforms.years import first_years, is_yearless

_SAMPLE_BYTES = 1 << 20


def with_years(run: Run, pulled: pl.DataFrame, edges: Mapping[str, tuple[str, str]]) -> pl.DataFrame:
    """Return INPUTS rows with `year` set; `edges` are the first and the last line of each file by its `source_id`.

    `BadInput`: stamps carry no year, and nothing tells it.
    """
    if pulled.is_empty():
        return pulled
    years = []
    for (kind, year), group in pulled.group_by(["kind", "year"], maintain_order=True):
        of = [edges.get(source_id, ("", "")) for source_id in group["source_id"]]
        near = run.incident.known_instant() if year is not None else _instant_near(run, group, of)
        known = kind == "log" and (year is not None or near is not None)
        firsts = first_years(of, year, near) if known else [None] * len(of)
        years.append(group.select("uri").with_columns(pl.Series("year", firsts, pl.Int64)))
    return pulled.drop("year").join(pl.concat(years), on="uri", how="left", maintain_order="left")


def _instant_near(run: Run, files: pl.DataFrame, edges: Sequence[tuple[str, str]]) -> datetime | None:
    """Return an instant near the stamps of the files that need one."""
    yearless = [
        (uri, path)
        for uri, path, lines in zip(files["uri"], files["path"], edges, strict=True)
        if any(map(is_yearless, lines))
    ]
    for _, path in yearless:
        with open_decompressed(run.warehouse.kept(path)) as stream:
            for head in islice(read_lines(stream, _SAMPLE_BYTES), 1):
                if clock := typical_clock(head["text"]):
                    return clock
    near = run.incident.known_instant()
    if yearless and near is None:
        raise BadInput(
            f"{run.incident.path}: {yearless[0][0]} has stamps without a year; neither its queue ids, as_of, window nor"
            " baseline tell it: add `year:` of its first line to its entry under logs."
        )
    return near

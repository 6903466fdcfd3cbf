"""CSV that a spreadsheet opens as it is meant: letters of every language right, and no cell that runs as a formula.

It begins with a byte order mark, since Excel takes a file without one for its own old encoding; DuckDB, Polars, pandas
and R skip it. Text that begins with = + - @, a tab or a line break gets an apostrophe before it, which spreadsheets
show as text; the Parquet file of the same name has every value as it is.
"""

import io
from pathlib import Path
from typing import IO

import polars as pl

_FORMULA = "^[=+\\-@\\t\\r\\n＝＋－＠]"
# Deliveries take half a kilobyte each; Polars' own streaming holds ten times as many of them.
_ROWS_AT_ONCE = 100_000


def write_csv(frame: pl.DataFrame | pl.LazyFrame, path: Path) -> None:
    """Write a frame as CSV: UTF-8 with a byte order mark, lines as RFC 4180 has them, instants in UTC.

    Of a lazy frame, which may be a long file, some rows are held at a time.
    """
    with path.open("wb") as stream:
        _write(frame.lazy(), stream)


def csv_bytes(frame: pl.DataFrame) -> bytes:
    """Return what `write_csv` would write."""
    content = io.BytesIO()
    _write(frame.lazy(), content)
    return content.getvalue()


def _write(frame: pl.LazyFrame, stream: IO[bytes]) -> None:
    rows = frame.select(pl.len()).collect().item()
    for start in range(0, max(rows, 1), _ROWS_AT_ONCE):
        guarded(frame.slice(start, _ROWS_AT_ONCE)).collect().write_csv(
            stream,
            include_header=start == 0,
            include_bom=start == 0,
            line_terminator="\r\n",
            datetime_format="%Y-%m-%dT%H:%M:%S%.fZ",
        )


def guarded(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return the frame with an apostrophe before each text that a spreadsheet would run."""
    text = [name for name, dtype in frame.collect_schema().items() if dtype == pl.String]
    return frame.with_columns(
        pl.when(pl.col(name).str.contains(_FORMULA)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in text
    )

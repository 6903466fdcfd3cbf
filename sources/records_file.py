"""Read customer records from a CSV or Parquet file, with exactly the columns that the contract names."""

import csv
import io
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow
from pyarrow import csv as arrow_csv

from sources.compression import open_decompressed
from sources.errors import BadInput

_DATES = ("valid_from", "valid_to")
_ISO_DATE = r"^\d{4}-\d{2}-\d{2}$"


def read_records(path: Path, uri: str, columns: Sequence[str]) -> tuple[pl.DataFrame, str]:
    """Return the rows of the file at `path` (texts, and dates for the days of validity) and whether `csv` or `parquet`.

    `BadInput` names `uri`, and the column or line at fault.
    """
    with open_decompressed(path) as file:
        is_parquet = file.read(4) == b"PAR1"
    if is_parquet:
        return dates_of(_read_parquet(path, uri, columns), uri, None), "parquet"
    with open_decompressed(path) as file:
        content = file.read()
        if getattr(file, "is_truncated", False):
            raise BadInput(f"{uri}: the archive is cut off or damaged; fetch the customer records again.")
    return dates_of(_read_csv(content, uri, columns), uri, content), "csv"


def _check_columns(found: Sequence[str], wanted: Sequence[str], uri: str) -> None:
    unknown = [c for c in found if c not in wanted]
    missing = [c for c in wanted if c not in found]
    twice = sorted({c for c in found if list(found).count(c) > 1})
    if len(found) == 1 and any(mark in found[0] for mark in ";\t|"):
        raise BadInput(f"{uri}, line 1: the columns are not separated by commas; export it as comma-separated CSV.")
    if unknown:
        hint = f"; rename it to {missing[0]!r} if that is what it holds, or remove it" if missing else "; remove it"
        raise BadInput(f"{uri}: unknown column {unknown[0]!r}{hint}; the columns are {', '.join(wanted)}.")
    if missing:
        raise BadInput(f"{uri}: column {missing[0]!r} is missing; add it; the columns are {', '.join(wanted)}.")
    if twice:
        raise BadInput(f"{uri}: column {twice[0]!r} stands twice; keep one.")


def _read_csv(content: bytes, uri: str, columns: Sequence[str]) -> pl.DataFrame:
    text = content.removeprefix(b"\xef\xbb\xbf")
    try:
        header = [name.strip() for name in next(csv.reader([text.split(b"\n", 1)[0].decode("utf-8")]), [])]
    except (UnicodeDecodeError, csv.Error):
        raise BadInput(f"{uri}, line 1: not UTF-8 text; export the customer records as CSV in UTF-8.") from None
    if not header:
        raise BadInput(f"{uri} is empty; its first line must name the columns {', '.join(columns)}.")
    _check_columns(header, columns, uri)
    if b"\0" in text:
        raise BadInput(f"{uri}, line {_line_of_byte(text, 0)}: a zero byte is no text; export it as CSV in UTF-8.")
    if b"\n" not in text.rstrip(b"\r\n"):
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    try:
        table = arrow_csv.read_csv(
            pyarrow.BufferReader(text),
            read_options=arrow_csv.ReadOptions(column_names=header, skip_rows=1),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(header, pyarrow.string())),
        )
    except pyarrow.ArrowInvalid as error:
        raise BadInput(_broken_csv(text, uri, len(header), str(error))) from None
    return pl.DataFrame(pl.from_arrow(table)).select(columns)


def _broken_csv(text: bytes, uri: str, width: int, reason: str) -> str:
    """Say which line is at fault: found again slowly, since the fast reader counts rows and not lines."""
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        return f"{uri}, line {line}: not UTF-8 text; export the customer records as CSV in UTF-8."
    reader = csv.reader(io.StringIO(decoded, newline=""))
    with suppress(csv.Error):  # a value beyond any length: the sentence below says enough
        for row in reader:
            if row and len(row) != width:
                return f"{uri}, line {reader.line_num}: {len(row)} values for {width} columns; correct the line."
    return f"{uri} is not CSV ({reason.splitlines()[0]}); export the customer records as CSV in UTF-8."


def _line_of_byte(text: bytes, value: int) -> int:
    return text.count(b"\n", 0, text.index(value)) + 1


def _read_parquet(path: Path, uri: str, columns: Sequence[str]) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInput(
            f"{uri} is not a readable Parquet file ({str(error).splitlines()[0]}); write it again."
        ) from None
    _check_columns(frame.columns, columns, uri)
    for name in columns:
        kind = frame.schema[name]
        if kind.is_float() or kind.is_nested() or kind == pl.Binary:
            wanted = "date" if name in _DATES else "text"
            raise BadInput(f"{uri}: column {name!r} holds {kind}; store it as {wanted}.")
    keep_type = [n for n in _DATES if n in columns and frame.schema[n].is_temporal()]
    return frame.select(pl.col(n).cast(pl.Date if n in keep_type else pl.String) for n in columns)


def dates_of(frame: pl.DataFrame, uri: str, content: bytes | None) -> pl.DataFrame:
    """Return `frame` with days of validity as dates; an empty text is no date, any other that is none is refused.

    `content` is the CSV that it was read from, to tell the line at fault.
    """
    for name in _DATES:
        if frame.schema.get(name, pl.Date) == pl.Date:
            continue
        texts = frame[name].str.strip_chars().replace("", None)
        written = texts.set(~texts.str.contains(_ISO_DATE), None) if texts.len() else texts
        days = written.str.to_date("%Y-%m-%d", strict=False)
        wrong = (texts.is_not_null() & days.is_null()).arg_true()
        if wrong.len():
            text = texts[int(wrong[0])]
            where = f"line {_line_of(content, int(wrong[0]))}" if content else f"row {int(wrong[0]) + 1}"
            example = date(2030, 1, 31).isoformat()
            raise BadInput(
                f"{uri}, {where}: {name} {text!r} is not a date; write it like {example}, or leave it empty."
            )
        frame = frame.with_columns(days.alias(name))
    return frame


def _line_of(content: bytes, index: int) -> int:
    """Return the line on which row `index` (from 0) ends; a value may hold line breaks."""
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    rows = -1  # the header is not a row, and neither is an empty line
    for row in reader:
        rows += bool(row)
        if rows > index:
            break
    return reader.line_num

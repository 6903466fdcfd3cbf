"""Helpers of the dialect tests: lines in, events out, with every line accounted for."""

import io
from collections.abc import Sequence
from typing import Any

import polars as pl

from transforms.dialect import Envelope, Grammar
from transforms.parse import Parsed, merge, parse_stream


def parse(lines: Sequence[str] | bytes, envelope: Envelope, grammar: Grammar) -> Parsed:
    """Parse lines as one file."""
    content = lines if isinstance(lines, bytes) else "".join(f"{line}\n" for line in lines).encode()
    return merge(list(parse_stream(io.BytesIO(content), envelope, {"dialect": grammar}, "0" * 16, "test.log")))


def facts(parsed: Parsed, *columns: str) -> list[tuple[Any, ...]]:
    """Give the chosen columns of the events, in the order of lines, then kind and recipient."""
    return parsed.events.sort("line_number", "kind", "recipient").select(columns).rows()


def fates(parsed: Parsed) -> dict[str, int]:
    """Give the number of lines of each fate."""
    counts = parsed.line_counts.group_by("fate").agg(pl.col("lines").sum())
    return {"parsed": 0, "ignored": 0, "quarantined": 0} | dict(counts.iter_rows())

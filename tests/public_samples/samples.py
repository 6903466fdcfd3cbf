"""Where other projects' sample logs lie (beside the repository, not in it), and how one is read."""

from functools import cache
from pathlib import Path

import polars as pl
import pytest

from transforms.detect import Detection, detect
from transforms.dialect import LogOptions
from transforms.mixed import MixedEnvelope
from transforms.parse import Parsed, merge, parse_stream
from transforms.registry import ENVELOPES, GRAMMARS

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "public"
# The samples' stamps carry no year; any will do.
YEAR = 2030


def sample_files(under: str) -> list[Path]:
    """Give the log files under a folder of the samples; none where the samples are absent."""
    return sorted(path for path in (SAMPLES / under).rglob("*") if path.is_file())


def each_sample(under: str) -> pytest.MarkDecorator:
    """Parametrize a test over the samples under a folder; skip it where they are absent."""
    files = sample_files(under)
    if not files:
        return pytest.mark.parametrize(
            "path", [pytest.param(Path(), marks=pytest.mark.skip("the public samples are absent"))]
        )
    return pytest.mark.parametrize("path", files, ids=[str(path.relative_to(SAMPLES)) for path in files])


def lines_of(path: Path) -> list[str]:
    """Give the lines of a file as the reader numbers them."""
    lines = path.read_bytes().decode(errors="replace").split("\n")
    return lines[:-1] if lines and lines[-1] == "" else lines


def detected(path: Path) -> Detection:
    """Detect from the whole file: samples are short."""
    return detect(pl.Series(lines_of(path), dtype=pl.String))


@cache
def parsed(path: Path) -> Parsed:
    """Read a file as `format: auto` does."""
    options = LogOptions(year=YEAR, host="mx1")
    envelope = MixedEnvelope({name: make(options) for name, make in ENVELOPES.items()}, detected(path).envelope)
    with path.open("rb") as stream:
        return merge(list(parse_stream(stream, envelope, GRAMMARS, "0" * 16, path.name)))

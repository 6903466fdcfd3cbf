"""Every line of other projects' sample logs is understood, or known to carry no delivery fact."""

from pathlib import Path

import polars as pl
import pytest

from tests.public_samples.samples import detected, each_sample, lines_of, parsed

MOST_QUARANTINED = 0.005
# Lines that are damaged on purpose: (end of the file's path, line number) and what is wrong with them.
DAMAGED = {
    ("inqueue__postfix-ecs-pipeline__test_mail.log", 9): "a quotation mark behind `removed`",
    ("yo000__postfix-log-parser__test_test-milter.log", 1): "the file begins in the middle of a stamp",
}


@each_sample("")
def test_hardly_a_line_is_set_aside(path: Path) -> None:
    read = parsed(path)
    lines = lines_of(path)
    assert read.line_counts["lines"].sum() == len(lines)
    if not detected(path).has_mail:
        pytest.skip("no mail in it")
    unexpected = read.quarantine.filter(
        ~pl.Series(
            [
                any(str(path).endswith(end) and n == number for end, n in DAMAGED)
                for number in read.quarantine["line_number"]
            ],
            dtype=pl.Boolean,
        )
    )
    assert unexpected.height <= MOST_QUARANTINED * len(lines), unexpected.select("line_number", "reason", "text").rows()


@each_sample("")
def test_the_envelope_is_the_folder_s(path: Path) -> None:
    found = detected(path)
    if not found.has_mail:
        assert parsed(path).events.is_empty()
        return
    folder = next(part for part in ("exim", "postfix", "sendmail", "exchange") if part in path.parts)
    assert folder in found.dialects

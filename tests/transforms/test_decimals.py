"""How short decimal numbers are read: the value, and where it ends."""

import polars as pl
import pytest

from transforms.decimals import read_decimals
from transforms.spans import Spans

CASES: list[tuple[str, float | None]] = [
    ("0, ", 0.0),
    ("7, ", 7.0),
    ("0.03, ", 0.03),
    ("12.5, and 8, ", 12.5),
    ("248321, ", 248321.0),  # seven characters with the mark: one machine word
    ("1234567, ", 1234567.0),  # one more
    ("172799.123456, ", 172799.123456),
    ("007, ", 7.0),
    (", ", None),
    (".5, ", 0.5),
    ("5., ", 5.0),
    (".12345678, ", 0.12345678),
    ("12345678., ", 12345678.0),
    ("., ", None),
    ("1.2.5, ", None),
    ("-1, ", None),
    ("1e3, ", None),
    ("1:30, ", None),
    ("٣, ", None),
    ("12", None),
    ("", None),
    ("12,3, ", None),
]


@pytest.mark.parametrize(("text", "value"), CASES, ids=[repr(case[0]) for case in CASES])
def test_digits_with_at_most_one_point_among_them_are_a_number(text: str, value: float | None) -> None:
    strings = Spans.of(pl.Series([text]))
    values, is_number, end = read_decimals(strings, ", ")
    assert bool(is_number[0]) is (value is not None)
    if value is not None:
        assert values[0] == pytest.approx(value, rel=1e-15)
        assert strings.cut(end, strings.end).series()[0] == text[text.index(", ") :]


def test_many_are_read_at_once_each_for_itself() -> None:
    values, is_number, _ = read_decimals(Spans.of(pl.Series([text for text, _ in CASES])), ", ")
    assert is_number.tolist() == [value is not None for _, value in CASES]
    assert values[is_number].tolist() == pytest.approx([value for _, value in CASES if value is not None])

"""Few names, many strings: each is told once, and each string leads to its own."""

import polars as pl
import pytest

from transforms.names import distinct
from transforms.spans import Spans

CASES = {
    "no string": [],
    "one string": ["mx1"],
    "one name many times": ["mx1"] * 5,
    "names that begin alike": ["postfix/smtp", "postfix/smtpd", "postfix/smtp", "postfix"],
    "names that differ in their last byte of eight": ["12345678", "12345679", "1234567", "12345678"],
    "a name that is empty": ["", "mx1", ""],
    "upper and lower case differ": ["MX1", "mx1"],
    "letters beyond ASCII": ["größe", "grösse", "größe"],
    "a name of thirty-two bytes, and a longer one": ["m" * 32, "m" * 33, "m" * 32],
    "more names than slots": [f"host{n % 70_000}" for n in range(70_001)],
}


@pytest.mark.parametrize("case", CASES)
def test_each_string_leads_to_its_own_name(case: str) -> None:
    strings = CASES[case]
    names, numbers = distinct(Spans.of(pl.Series(strings, dtype=pl.String)))
    assert names.gather(numbers).to_list() == strings
    assert sorted(names.to_list()) == sorted(set(strings))

"""Strings as spans: the same strings come out, also of a part of a longer series."""

import polars as pl
import pytest

from transforms.spans import Spans

LONG = ["a text of more than twelve bytes", "another text, größer than that", "the third of the long texts"]
SHORT = ["a", "", "größe"]


@pytest.mark.parametrize("texts", [LONG, SHORT, LONG + SHORT], ids=["long", "short", "mixed"])
@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_part_of_a_series_is_that_part(texts: list[str], first: int) -> None:
    whole = Spans.of(pl.Series(texts * 40)).series()
    for part in (whole[first:], whole.filter(pl.Series([False] * first + [True] * (len(whole) - first)))):
        assert Spans.of(part).series().to_list() == (texts * 40)[first:]
        assert Spans.of(part).dense().series().to_list() == (texts * 40)[first:]

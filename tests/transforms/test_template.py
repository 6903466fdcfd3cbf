"""Which strings have a template's shape, and what is cut out of them."""

import polars as pl
import pytest

from transforms.spans import Spans
from transforms.template import match

FROM = "from=<{sender:address}>, size={:number}, nrcpt={count:number} (queue active)"
SAID = "to=<{to:word}>, said: {:text}"

PLAIN: list[tuple[str, str, dict[str, object]]] = [
    (FROM, "from=<a@b>, size=812, nrcpt=2 (queue active)", {"sender": "a@b", "count": 2.0}),
    (FROM, "from=<>, size=812, nrcpt=2 (queue active)", {"sender": "", "count": 2.0}),
    (FROM, "from=<ü@b>, size=1.5, nrcpt=12345678 (queue active)", {"sender": "ü@b", "count": 12345678.0}),
    (SAID, "to=<a@b>, said: anything, said: twice", {"to": "a@b"}),
    (SAID, "to=<a@b>, said: ", {"to": "a@b"}),
]
ODD = [
    (FROM, ""),
    (FROM, "from=<"),
    (FROM, "From=<a@b>, size=812, nrcpt=2 (queue active)"),
    (FROM, "from=<a b@c>, size=812, nrcpt=2 (queue active)"),
    (FROM, 'from=<"a"@b>, size=812, nrcpt=2 (queue active)'),
    (FROM, "from=<a,b@c>, size=812, nrcpt=2 (queue active)"),
    (FROM, "from=<<a@b>>, size=812, nrcpt=2 (queue active)"),
    (FROM, "from=<a@b>, size=, nrcpt=2 (queue active)"),
    (FROM, "from=<a@b>, size=8x, nrcpt=2 (queue active)"),
    (FROM, "from=<a@b>, size=812, nrcpt=2 (queue active) and more"),
    (FROM, "from=<a@b>, size=812, nrcpt=2 (queue activ"),
    (SAID, "to=<>, said: a word holds something"),
    (SAID, "to=<a@b>, said:"),
]


@pytest.mark.parametrize(("template", "text", "fields"), PLAIN, ids=[case[1] for case in PLAIN])
def test_a_plain_string_gives_its_fields(template: str, text: str, fields: dict[str, object]) -> None:
    found = match(Spans.of(pl.Series(["another line", text])), template)
    assert found.rows.tolist() == [1]
    assert {name: column[0] for name, column in found.fields.items()} == fields


@pytest.mark.parametrize(("template", "text"), ODD, ids=[case[1] for case in ODD])
def test_what_can_be_mistaken_has_no_shape(template: str, text: str) -> None:
    assert match(Spans.of(pl.Series([text])), template).rows.tolist() == []


def test_the_text_is_what_stands_behind_the_last_literal() -> None:
    found = match(Spans.of(pl.Series([text for template, text, _ in PLAIN if template == SAID])), SAID)
    assert found.text.series().to_list() == ["anything, said: twice", ""]


def test_strings_keep_their_numbers_where_others_fall_out() -> None:
    lines = [text for template, text in ODD if template == FROM] + [PLAIN[0][1], "x", PLAIN[1][1]]
    found = match(Spans.of(pl.Series(lines)), FROM)
    assert found.rows.tolist() == [len(lines) - 3, len(lines) - 1]
    assert found.fields["sender"].to_list() == ["a@b", ""]

"""Hostile text never reaches a page in a form that acts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.harmless import WITHHELD, for_chart, harmless, script_json, without_ids


@pytest.mark.parametrize(
    "text",
    [
        "jo@example.com",
        "<jo@example.com>",
        "from=jo@example.com,",
        '"jo doe"@example.com',
        "jo+tag@mail.example.com",
        "jø@exåmple.com",
        "a%b@example.com",
        "bounce+jo=example.org@example.com",
        "jo@localhost",
    ],
)
def test_no_address_passes(text: str) -> None:
    assert "@" not in harmless(text)
    assert WITHHELD in harmless(text)


@given(
    local=st.from_regex(r"[a-z0-9._+-]{1,12}", fullmatch=True), before=st.text(max_size=8), after=st.text(max_size=8)
)
def test_no_address_passes_whatever_stands_around_it(local: str, before: str, after: str) -> None:
    assert f"{local}@example.com" not in harmless(f"{before}{local}@example.com{after}")


def test_a_pattern_of_senders_is_no_address() -> None:
    assert harmless("*@mailhouse.example") == "*@mailhouse.example"


def test_credentials_in_a_uri_are_dropped() -> None:
    assert harmless("sftp://user:secret@host.example/logs/mail.log") == "sftp://host.example/logs/mail.log"


def test_letters_that_turn_the_reading_direction_are_shown_as_what_they_are() -> None:
    assert harmless("abc\u202egpj.exe\x00") == "abc\\u202egpj.exe\\u0000"


def test_a_chart_shows_markup_as_text() -> None:
    assert for_chart('<a href="x">&') == '&lt;a href="x"&gt;&amp;'


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda c: st.lists(c) | st.dictionaries(st.text(), c), max_leaves=8
    )
)
def test_json_in_a_script_reads_back_and_ends_nothing(content: object) -> None:
    text = script_json(content)
    assert json.loads(text) == content
    assert not set("<>&\u2028\u2029") & set(text)


def test_ids_are_withheld_as_whole_words_only() -> None:
    assert without_ids("A1 and A12, A1.", frozenset({"A1"})) == "[id withheld] and A12, A1."

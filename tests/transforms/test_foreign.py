"""Which lines without a head are foreign text, and which are damaged lines of the log."""

import polars as pl
import pytest

from transforms.foreign import damaged, headless

NO_TEXT = "not text, and not a line of this log"
REMAINS = "the remains of a log line, without its head"
NO_HEAD = "no syslog head: a stamp, a host and a program were expected"


@pytest.mark.parametrize(
    ("text", "in_a_main_log", "in_syslog"),
    [
        ("", None, None),
        ("# rotated at 02:22:48 by hand", None, None),
        ("    at Mailer.send(Mailer.java:47)", None, None),
        (">>> 250 ok at 02:22:48", None, None),
        ("*** restarted ***", None, None),
        ("---------------", None, None),
        ("removed", None, None),
        ("someone wrote this line by hand", None, NO_HEAD),
        ("02:22:48 mx1 postfix/qmgr: x", REMAINS, NO_HEAD),
        ("postfix/qmgr[812]: 4ABCDEF012: removed", REMAINS, NO_HEAD),
        ("1qHw4C-0005kN-Lz => bob@example.com", REMAINS, NO_HEAD),
        ("4ABCDEF012: to=<bob@example.com>", REMAINS, NO_HEAD),
        ("@4000000038d2d4f6250a5c4c delivery 1", REMAINS, NO_HEAD),
        ("\x00\x00\x00", NO_TEXT, NO_TEXT),
        ("a\ufffdb", NO_TEXT, NO_TEXT),
        ("a\tb", None, None),
    ],
)
def test_what_a_line_without_a_head_is(text: str, in_a_main_log: str | None, in_syslog: str | None) -> None:
    lines = pl.DataFrame({"line_number": [7], "text": [text]})
    for judge, reason in ((damaged, in_a_main_log), (headless, in_syslog)):
        assert judge(lines).rows() == ([(7, reason)] if reason else [])

"""What is told of a parsed file: which servers wrote it, whatever it begins with."""

from pathlib import Path

import polars as pl
import pytest

from mailtoll.parsing import parse_pulled
from mailtoll.warehouse import Warehouse
from tests.transforms.test_mixed import CRON, EXIM, POSTFIX


@pytest.mark.parametrize(
    ("content", "form", "dialect_lines", "parsed"),
    [
        (CRON * 20_000 + EXIM + POSTFIX * 2, "postfix+exim", "4 postfix, 2 exim", 6),
        (CRON * 3, "none", "no mail server's", 0),
        ([], "none", "no mail server's", 0),
    ],
    ids=["mail behind more than a sample of noise", "no mail", "no line"],
)
def test_a_file_tells_which_servers_wrote_how_many_of_its_lines(
    content: list[str], form: str, dialect_lines: str, parsed: int, tmp_path: Path
) -> None:
    (tmp_path / "mail.log").write_text("".join(f"{line}\n" for line in content), encoding="utf-8")
    source = {"source_id": "0" * 16, "path": "mail.log", "uri": "logs/mx1/mail.log", "format": "auto"}
    receipt = parse_pulled(Warehouse(tmp_path), source | {"timezone": "UTC", "year": 2030, "lines": len(content)})
    assert (receipt["format"], receipt["dialect_lines"], receipt["parsed"]) == (form, dialect_lines, parsed)
    assert receipt["ignored"] == len(content) - parsed
    events = pl.read_parquet(Warehouse(tmp_path).part("events", "0" * 16))
    assert events.height == parsed

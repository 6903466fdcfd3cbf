"""Every message that the runbook quotes is one that the code says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = ("mailtoll", "sources", "transforms", "expectations", "reports", "dags")
MESSAGES = re.findall(r"^\| `(.+?)` \|", (PROJECT / "docs" / "runbook.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def said() -> list[str]:
    """Every text in the code, with what is filled in left out."""
    return [
        text
        for room in ROOMS
        for file in sorted((PROJECT / room).rglob("*.py"))
        for text in texts(ast.parse(file.read_text(encoding="utf-8")))
    ]


def texts(tree: ast.AST) -> Iterator[str]:
    """Yield the constant texts of a module; of an f-string, its constant parts with … between them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(p.value if isinstance(p, ast.Constant) else "…" for p in node.values)  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_there_is_much_to_look_up() -> None:
    assert len(MESSAGES) > 15


@pytest.mark.parametrize("message", MESSAGES)
def test_the_code_says_it(message: str, said: list[str]) -> None:
    parts = [part.strip() for part in message.split("…") if len(part.strip()) > 3]
    assert parts
    assert any(all(part in text for part in parts) for text in said), message

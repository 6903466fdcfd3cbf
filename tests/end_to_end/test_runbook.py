"""Every message that the runbook quotes is one that the code says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = ("mailtoll", "sources", "transforms", "expectations", "reports", "dags")
MESSAGES = re.findall(r"^\| `(.+?)` \|", (PROJECT / "docs" / "runbook.md").read_text(encoding="utf-8"), re.MULTILINE)
# Rooms' modules whose sentences are about servers, disks, keys and mail, and not about what somebody wrote wrongly.
OPERATED = (
    *("sources/compression.py", "sources/connections.py", "sources/follow.py", "sources/ledger.py"),
    *("sources/records_database.py", "sources/resumed.py", "sources/ssh_login.py", "sources/store.py"),
    *("sources/store_fsspec.py", "sources/store_http.py", "sources/store_s3.py", "sources/store_sftp.py"),
    *("mailtoll/definition.py", "mailtoll/lock.py", "mailtoll/mailing.py", "mailtoll/run.py", "mailtoll/secret.py"),
    *("mailtoll/site.py", "mailtoll/snapshot.py", "mailtoll/standby.py", "mailtoll/vintage_store.py"),
)
ERRORS = ("BadInput", "SourceAway", "MailWaits", "FolderInUse", "Vanished")


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
    parts = parts_of(message)
    assert parts
    assert any(all(part in text for part in parts) for text in said), message


@pytest.mark.parametrize("module", OPERATED)
def test_what_a_module_of_servers_disks_and_mail_says_has_its_entry(module: str) -> None:
    found = list(raised(ast.parse((PROJECT / module).read_text(encoding="utf-8"))))
    assert found
    quoted = [parts_of(message) for message in MESSAGES]
    assert [text for text in found if not any(all(part in text for part in parts) for parts in quoted)] == []


def raised(tree: ast.AST) -> Iterator[str]:
    """Yield the sentence of each error that a module raises for an operator, with what is filled in left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
            yield from texts_of(node.args)


def texts_of(arguments: list[ast.expr]) -> Iterator[str]:
    for argument in arguments:
        if isinstance(argument, ast.JoinedStr | ast.Constant):
            yield next(texts(argument))


def parts_of(message: str) -> list[str]:
    return [part.strip() for part in message.split("…") if len(part.strip()) > 3]

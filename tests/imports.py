"""What the project's modules import, read from their text."""

import ast
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
ROOMS = ("sources", "transforms", "expectations", "reports", "mailtoll", "dags")
"""The rooms of the house, in the order in which data flows."""


def imported_modules(folder: str) -> Iterator[tuple[str, Path]]:
    """Yield each module that a file below the folder imports, with the file; a relative one begins with its dots."""
    for file in sorted((PROJECT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                yield "." * node.level + (node.module or ""), file
            elif isinstance(node, ast.Import):
                yield from ((alias.name, file) for alias in node.names)

"""A page of the documentation, typed as it stands, with the test's own servers for the names on it."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(sh|sql|yaml)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str, heading: str) -> list[tuple[str, str]]:
    """Return kind and text of each code block from a heading of a page (a path within the project) on."""
    text = (PROJECT / page).read_text(encoding="utf-8")
    return _BLOCK.findall(text[text.index(heading) :])


def translated(text: str, ours: Mapping[str, str]) -> str:
    """Return a block with the page's example names in place of which the test's own stand."""
    for example, own in ours.items():
        text = text.replace(example, own)
    return text


def shell(script: str, folder: Path, ends: int = 0) -> str:
    """Run a block of commands as a reader would, in one shell; return what it said, and check how it ended."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "HOME": str(folder)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ends, done.stdout + done.stderr
    return done.stdout + done.stderr

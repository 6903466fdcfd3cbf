"""The public site: a folder that any web server can show as it is, made of nothing but a count's public files.

    SITE/index.html                     all incidents and their counts
    SITE/<incident>/index.html          one incident's counts
    SITE/<incident>/<count>/            index.html, figures.json, figures.csv: never changed afterwards
    SITE/<incident>/latest              a link to the folder of the newest count

Everything is written aside and renamed, so that no reader sees half of it; the newest count is the one with the
highest number, so that putting an older one there again leaves `latest` alone.
"""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mailtoll.warehouse import write_text
from reports.site_index import incident_index, site_index
from sources.errors import BadInput

LATEST = "latest"


def put_on_site(site: Path, incident_id: str, count: str, public: Path) -> Path:
    """Put the folder `public` of a count there, and renew `latest` and the indexes; return the count's folder.

    `BadInput`: the site has another count under that name.
    """
    home = site / incident_id
    home.mkdir(parents=True, exist_ok=True)
    with _alone(site):
        _sweep(site, home)
        _add(public, home / count)
        counts = _counts(home)
        newest = max(counts, key=lambda folder: counts[folder]["number"])
        _point(home / LATEST, newest)
        write_text(incident_index(incident_id, counts), home / "index.html")
        incidents = {path.name: _counts(path) for path in site.iterdir() if path.is_dir()}
        write_text(site_index(incidents), site / "index.html")
    return home / count


def _sweep(*folders: Path) -> None:
    """Remove what a publication that was killed left half done: only one at a time is at work."""
    for folder in folders:
        for left in folder.glob(".new-*"):
            shutil.rmtree(left, ignore_errors=True)
        for left in folder.glob(".index.html.*"):
            left.unlink(missing_ok=True)


def _add(public: Path, target: Path) -> None:
    if target.is_dir():
        if _content(public) != _content(target):
            raise BadInput(
                f"{target} holds another count of the same name; go on in the run folder that it came from,"
                " or give the incident another id or site."
            )
        return
    aside = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    try:
        for path in public.iterdir():
            shutil.copyfile(path, aside / path.name)
            (aside / path.name).chmod(0o644)
        aside.chmod(0o755)
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _counts(home: Path) -> dict[str, Any]:
    """Return the figures of each count of an incident, by its folder's name."""
    files = sorted(home.glob("[0-9]*-*/figures.json"))
    return {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in files}


def _point(link: Path, folder: str) -> None:
    aside = Path(tempfile.mkdtemp(prefix=".new-", dir=link.parent))
    try:
        (aside / link.name).symlink_to(folder)
        (aside / link.name).replace(link)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _alone(site: Path) -> Iterator[None]:
    """Let one publication at a time change the site."""
    handle = os.open(site, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

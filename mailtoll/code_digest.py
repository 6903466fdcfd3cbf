"""Which code made the figures: a fingerprint of every file that can change one, and of the engines that count."""

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

_PROJECT = Path(__file__).parents[1]
# Rooms whose code can change a figure; what is said about figures (reports) and when (dags) cannot.
_PATTERNS = ("sources/*.py", "transforms/*.py", "transforms/sql/*.sql", "expectations/tables/*.py", "mailtoll/*.py")
_ENGINES = ("duckdb", "polars")


@cache
def code_sha256() -> str:
    """Return the fingerprint of the code and of the engines' versions, in hex."""
    digest = sha256()
    for pattern in _PATTERNS:
        for path in sorted(_PROJECT.glob(pattern)):
            digest.update(f"{path.relative_to(_PROJECT).as_posix()}\0".encode())
            digest.update(path.read_bytes())
    digest.update(" ".join(f"{name} {version(name)}" for name in _ENGINES).encode())
    return digest.hexdigest()

"""Inner loops as machine code, for logs that are long enough to pay for it.

Rules
- Every loop of `kernels.py` stands in for plain array code that is always there and gives the same answer: where numba
  is absent, or can keep its machine code nowhere, a log is read more slowly and no differently.
- numba compiles a loop at its first use and keeps it beside the source, or else in the user's cache; `make setup` does
  so beforehand (`python -m transforms.compiled`).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType

# Loading takes about 0.4 CPU seconds, and reading a line some 1.5 µs less: from here on it pays.
PAYS_FROM_LINES = 500_000
_loaded: ModuleType | None = None


def load() -> bool:
    """Use machine code in this process from now on, if it can be had; say whether it can."""
    global _loaded
    # numba raises RuntimeError where it finds no folder that it may write to.
    with suppress(ImportError, RuntimeError), _without("scipy.linalg"):
        from transforms import kernels

        _loaded = kernels
    return _loaded is not None


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Let a module seem absent that numba would load if it were there, and that no loop needs: 0.2 s."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # how Python spells that an import is to fail
    try:
        yield
    finally:
        del sys.modules[name]


def unload() -> None:
    """Use plain array code from now on."""
    global _loaded
    _loaded = None


def kernels() -> ModuleType | None:
    """Return the loops, if they are loaded."""
    return _loaded


if __name__ == "__main__":
    sys.exit(0 if load() else "compiled: numba is not installed, or may write nowhere; logs are read without it")

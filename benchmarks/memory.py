"""The most memory that a process and those that it started hold at once, looked at every so often.

The operating system's own peak (`ru_maxrss`, `VmHWM`) won't do: each step of a run begins it anew for its record
(`mailtoll/manifest.py`), and it knows one process only.
"""

import resource
import threading
from pathlib import Path

_EVERY_SECONDS = 0.05
_PAGE_BYTES = resource.getpagesize()


class PeakMemory:
    """Watches a process until `stop`, which returns the peak in bytes; pages that two processes share count twice."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._done = pid, 0, threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    def stop(self) -> int:
        """End the watch and return the most that was seen."""
        self._done.set()
        self._watching.join()
        return self._peak

    def _watch(self) -> None:
        while not self._done.wait(_EVERY_SECONDS):
            self._peak = max(self._peak, held(self._pid))


def held(pid: int) -> int:
    """Return the bytes that a process and its descendants hold now; one that has ended holds none."""
    process = Path(f"/proc/{pid}")
    try:
        own = int((process / "statm").read_text().split()[1]) * _PAGE_BYTES
        children = (process / "task" / str(pid) / "children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return own + sum(held(int(child)) for child in children)

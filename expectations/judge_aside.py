"""Great Expectations in a process of its own, started while something else is being done.

Its import is two seconds of pure Python: in a thread it takes turns with whatever reads the log, for neither can go on
without the interpreter; in another process it has a core to itself. Frames go there and verdicts come back through
pipes. The process ends with the one that started it, however that ends; where there is none, or it broke, the library
is used here.
"""

import atexit
import contextlib
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from expectations import judge
from expectations.judge import Judged, Question

_PROJECT = Path(__file__).parents[1]
_SERVE = "from expectations.judge_aside import serve; serve()"
_one_at_a_time = threading.Lock()
_helper: subprocess.Popen[bytes] | None = None
_owner = 0  # the process that started it: one that was forked from that must not talk to it


def preload() -> None:
    """Start the process, unless it runs; whoever needs a verdict waits until it is ready."""
    global _helper, _owner
    with _one_at_a_time:
        if _helper is None or _owner != os.getpid() or _helper.poll() is not None:
            path = os.pathsep.join([str(_PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
            _helper = subprocess.Popen(
                [sys.executable, "-c", _SERVE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": path},
            )
            _owner = os.getpid()
            atexit.register(_end, _helper)


def verdicts(frame: pa.Table, questions: Sequence[Question], shown: Sequence[str]) -> list[Judged]:
    """Return what `judge.judge` does, from the process if there is one."""
    with _one_at_a_time:
        found = _ask(frame, questions, shown) if _helper and _owner == os.getpid() else None
        return judge.judge(frame, questions, shown) if found is None else found


def serve() -> None:
    """Answer what comes on standard input, until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this one stops it
    gc.disable()  # it makes little, and ends soon
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    with contextlib.suppress(Exception):  # whoever asked meets the same error, and says so
        judge.load()
        while (asked := _received(sys.stdin.buffer)) is not None:
            pickle.dump(judge.judge(*asked), answers)
            answers.flush()
    os._exit(0)


def _ask(frame: pa.Table, questions: Sequence[Question], shown: Sequence[str]) -> list[Judged] | None:
    """Return the process's verdicts; None: it has broken, and is left alone from now on."""
    global _helper
    if _helper is None or _helper.stdin is None or _helper.stdout is None:
        return None
    try:
        pickle.dump((frame, list(questions), list(shown)), _helper.stdin)
        _helper.stdin.flush()
        found: list[Judged] | None = _received(_helper.stdout)
    except OSError:
        found = None
    if found is None:
        _helper = None
    return found


def _end(helper: subprocess.Popen[bytes]) -> None:
    """End a process that nobody needs any more."""
    with helper:
        helper.kill()


def _received(stream: IO[bytes]) -> Any:
    """Return the next thing that the other process of ours sent; None: it has ended."""
    try:
        return pickle.load(stream)  # noqa: S301 - both ends of the pipe are this program
    except (EOFError, pickle.UnpicklingError):
        return None

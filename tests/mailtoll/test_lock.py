"""Two whole runs in one folder: the second is told; tasks share; a holder that is killed holds no more."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailtoll.lock import FolderInUse, hold

MANY = multiprocessing.get_context("spawn")


def hold_and_sleep(folder: Path, alone: bool) -> None:
    with hold(folder, alone=alone):
        (folder / "held").touch()
        time.sleep(60)


@contextmanager
def held_elsewhere(folder: Path, *, alone: bool) -> Iterator[int]:
    """Another process holds the folder; give its id."""
    process = MANY.Process(target=hold_and_sleep, args=(folder, alone))
    process.start()
    while not (folder / "held").exists():
        time.sleep(0.01)
    try:
        yield process.pid or 0
    finally:
        process.kill()
        process.join()


@pytest.mark.parametrize(("theirs", "ours"), [(True, True), (True, False), (False, True)])
def test_a_whole_run_is_alone(tmp_path: Path, theirs: bool, ours: bool) -> None:
    with (
        held_elsewhere(tmp_path, alone=theirs),
        pytest.raises(FolderInUse, match=r"another run works in this folder; wait"),
        hold(tmp_path, alone=ours),
    ):
        pass


def test_tasks_share_and_a_killed_holder_is_forgotten(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path, alone=False), hold(tmp_path, alone=False):
        pass
    (tmp_path / "held").unlink()
    with held_elsewhere(tmp_path, alone=True) as pid:
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        with hold(tmp_path, alone=True):
            pass


def test_a_step_works_within_the_hold_of_its_run(tmp_path: Path) -> None:
    with hold(tmp_path, alone=True), hold(tmp_path, alone=False):
        pass

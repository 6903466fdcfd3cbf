"""Which lines speak of one queue file: told where an id is used again, in chunks of any size."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.spec.tables import event_frame, line
from transforms import queue_files
from transforms.queue_files import QueueFiles, read_queue_files

ENDS = ("removed", "ended", "deleted", "requeued")
Fact = tuple[str, str]  # queue id and kind


def numbered(facts: Sequence[Fact], chunk: int = 1_000) -> list[int | None]:
    """The queue file of each fact; as many facts as `chunk` says are read at once, those of each kind in a frame."""
    frame = event_frame([line(kind, queue_id, at) for at, (queue_id, kind) in enumerate(facts)]).drop("queue_file")
    files, found = QueueFiles(), []
    for first in range(0, frame.height, chunk):
        pieces = frame[first : first + chunk].partition_by("kind")
        found += files.number(read_queue_files(pieces))
    return pl.concat(found).sort("line_number")["queue_file"].to_list() if found else []


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ([], []),
        ([("A", "arrived"), ("A", "queued"), ("A", "removed")], [0, 0, 0]),
        ([("A", "arrived"), ("B", "arrived"), ("A", "removed"), ("B", "removed")], [0, 1, 0, 1]),
        ([("A", "arrived"), ("A", "removed"), ("A", "arrived"), ("A", "removed")], [0, 0, 1, 1]),
        ([("A", "arrived"), ("A", "arrived")], [0, 1]),  # the end of the first is lost
        ([("A", "removed"), ("A", "attempted")], [0, 1]),  # a straggler
        ([("A", "attempted"), ("A", "removed")], [0, 0]),  # the beginning is lost
        ([("A", "arrived"), ("A", "refused"), ("A", "removed")], [0, None, 0]),  # no line about a queue file
    ],
)
def test_an_id_stands_for_another_queue_file_after_an_end_or_with_an_arrival(
    facts: list[Fact], told: list[int | None]
) -> None:
    assert numbered(facts) == told


FACTS = st.lists(
    st.tuples(st.sampled_from("ABC"), st.sampled_from(("arrived", "queued", "attempted", *ENDS))), max_size=30
)


@hypothesis_settings(deadline=None)
@given(FACTS, st.integers(1, 7))
def test_chunks_of_any_size_tell_the_same(facts: list[Fact], chunk: int) -> None:
    expected, current, begun = list[int | None](), dict[str, int](), 0
    for queue_id, kind in facts:
        if kind == "arrived" or queue_id not in current:
            current[queue_id], begun = begun, begun + 1
        expected.append(current[queue_id])
        if kind in ENDS:
            del current[queue_id]
    assert numbered(facts, chunk) == expected


def test_of_queue_files_without_an_end_only_the_latest_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_files, "_MOST_OPEN", 2)
    facts = [(queue_id, "arrived") for queue_id in "ABC"] + [(queue_id, "attempted") for queue_id in "CBA"]
    assert numbered(facts, chunk=1) == [0, 1, 2, 2, 1, 3], "A, the oldest, is seen to begin anew"


def test_ids_of_two_hosts_are_two_queue_files() -> None:
    facts = event_frame([line("arrived", "A", 0), line("arrived", "A", 1, host="mx2")]).drop("queue_file")
    (found,) = QueueFiles().number(read_queue_files([facts]))
    assert found["queue_file"].n_unique() == 2


def test_keys_whose_first_bits_are_alike_are_told_apart() -> None:
    key = np.array([7 << 40 | low for low in (2, 1, 2, 1)], np.uint64)
    assert queue_files._by_key_and_place(key, np.array([1, 2, 3, 4])).tolist() == [1, 3, 0, 2]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=30), st.sampled_from((0, 40, 62)))
def test_events_are_put_in_the_order_of_key_place_and_coming(facts: list[tuple[int, int]], shift: int) -> None:
    key, place = (np.array([fact[n] for fact in facts], np.int64) for n in (0, 1))
    expected = sorted(range(len(facts)), key=lambda n: (*facts[n], n))
    assert queue_files._by_key_and_place(key.astype(np.uint64) << np.uint64(shift), place).tolist() == expected

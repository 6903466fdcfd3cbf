"""In which pass of an hour that daylight saving repeats does each file of a log begin, whatever order they come in?

Rule: a file tells by itself where its lines in that hour begin if it begins before the hour (in the first pass), if the
clock falls back in it (in the first pass), if a queue id in it is younger than its line would be in the first pass (in
the second), or if it goes on beyond the hour (in the second, as the first is followed by a whole hour of lines). Files
that lie within the hour and tell nothing are put where the log's files overlap least; where that leaves a choice, in
the first pass.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

_FALL_BACK_AT_LEAST = 20 * 60
# Of so many files every choice is weighed; of more, which nobody has, the rest is left in the first pass.
_MOST_WEIGHED = 10

Span = tuple[int, int]


@dataclass(frozen=True)
class Stretch:
    """What one file tells of a repeated hour: its lines' times in it (seconds of the wall clock), in file order.

    `begins_inside`: its first line lies in the hour; `goes_on`: its last one after it. `is_second` is what the clocks
    in its queue ids say of its first lines, None: nothing.
    """

    spans: tuple[Span, ...]
    begins_inside: bool
    goes_on: bool
    is_second: bool | None = None

    @property
    def told(self) -> bool | None:
        """Whether its lines in the hour begin in the second pass; None: it does not tell."""
        if not self.begins_inside or len(self.spans) > 1:
            return False
        return self.is_second if self.is_second is not None else self.goes_on or None


def spans_of(times: Sequence[int]) -> tuple[Span, ...]:
    """Cut the times of a file's lines in the hour where the clock falls back: first and last of each part."""
    cuts = [place for place, (a, b) in enumerate(pairwise(times), start=1) if a - b >= _FALL_BACK_AT_LEAST]
    edges = [0, *cuts, len(times)]
    return tuple((min(times[a:b]), max(times[a:b])) for a, b in pairwise(edges) if a < b)


def begin_in_second_pass(files: Sequence[Stretch]) -> list[bool]:
    """Say of each file of one log whether its lines in the repeated hour begin in its second pass."""
    told = [file.told for file in files]
    open_places = [place for place, is_second in enumerate(told) if is_second is None][:_MOST_WEIGHED]
    least, best = None, [bool(is_second) for is_second in told]
    for choice in product((False, True), repeat=len(open_places)):
        chosen = [bool(is_second) for is_second in told]
        for place, is_second in zip(open_places, choice, strict=True):
            chosen[place] = is_second
        overlap = _overlap(files, chosen)
        if least is None or overlap < least:
            least, best = overlap, chosen
    return best


def _overlap(files: Iterable[Stretch], chosen: Iterable[bool]) -> int:
    """Return for how many seconds files lie over one another, over both passes."""
    passes: tuple[list[Span], list[Span]] = ([], [])
    for file, is_second in zip(files, chosen, strict=True):
        for place, span in enumerate(file.spans):
            passes[is_second or place > 0].append(span)
    return sum(sum(b - a + 1 for a, b in spans) - _covered(spans) for spans in passes)


def _covered(spans: Iterable[Span]) -> int:
    """Return how many seconds lie in one of the spans or more; a line takes up its second."""
    covered, reach = 0, -1
    for start, end in sorted(spans):
        covered += max(0, end - max(start - 1, reach))
        reach = max(reach, end)
    return covered

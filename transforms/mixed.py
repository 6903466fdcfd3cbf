"""The envelope of a file that nobody declared: each line is opened as what it shows itself to be.

A server may be replaced while its log goes on, or its first mail stand behind hours of other programs' lines: so the
beginning of a file does not settle the rest.

Rules
- Each chunk is opened by the envelope that opened most of the chunk before (at first: the one that a sample showed).
- What that leaves unopened is looked at again: where it shows a mail server's lines in another envelope, that one opens
  what it can. No line is opened twice.
- What none opens is judged by the first, whose file it is.
"""

from collections.abc import Mapping

import polars as pl

from transforms.detect import detect
from transforms.dialect import Envelope, Opened


class MixedEnvelope:
    """Opens lines by several envelopes, each of which carries its own state from chunk to chunk."""

    def __init__(self, envelopes: Mapping[str, Envelope], likely: str) -> None:
        self._envelopes, self._likely = dict(envelopes), likely

    def open(self, raw: pl.DataFrame) -> Opened:
        """Open one chunk; `aside` holds the lines that no envelope opened and the first did not understand."""
        first = self._opened(self._likely, raw)
        frames, left = {self._likely: first.lines}, _without(raw, first.lines)
        while left.height:
            found = detect(left["text"])
            if not found.has_mail or found.envelope in frames or found.envelope not in self._envelopes:
                break
            frames[found.envelope] = self._opened(found.envelope, left).lines
            left = _without(left, frames[found.envelope])
        self._likely = max(frames, key=lambda name: frames[name].height)
        if len(frames) == 1:
            return first
        aside = first.aside.join(left, on="line_number", how="semi", maintain_order="left")
        return Opened(pl.concat(frames.values()).sort("line_number"), aside)

    def _opened(self, name: str, raw: pl.DataFrame) -> Opened:
        opened = self._envelopes[name].open(raw)
        names = pl.col("host", "service").cast(pl.Categorical)
        return Opened(opened.lines.with_columns(names), opened.aside)


def _without(raw: pl.DataFrame, opened: pl.DataFrame) -> pl.DataFrame:
    if opened.height == raw.height:
        return raw.clear()
    return raw.join(opened, on="line_number", how="anti", maintain_order="left")

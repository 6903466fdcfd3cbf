"""Ids that carry their own clock: when was the queue file made, by its id alone?

Rules
- Postfix's long ids: seconds since 1970 in base 52 (six places or more), microseconds in base 52 (four places), `z`,
  inode in base 51 (postfix/src/global/mail_queue.h). The last `z` is the mark, as base 51 has none.
- Exim's message ids: seconds since 1970 in base 62, six places, before the first hyphen (exim4 spec, "Message
  identification"); both the old form (6-6-2) and that of 4.97 (6-11-4).
- Short ids, Sendmail's and Exchange's carry no clock that can be told from anything else.
"""

from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

_POSTFIX = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_EXIM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SAFE = f"[{_POSTFIX}]"
_LONG_ID = rf"^({_SAFE}{{6}})({_SAFE}{{4}})z[{_POSTFIX[:-1]}]+$"
_EXIM_ID = r"^([0-9A-Za-z]{6})-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})$"
# Before the first Postfix with long ids and Exim's ids of this form nobody wrote them; what reads so is no clock.
_FIRST_SECOND, _LAST_SECOND = 946_684_800, 4_102_444_800  # 2000 to 2100
_EXIM_ID_IN_A_LINE = r" ([0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4}))(?: |$)"
_LONG_ID_IN_A_LINE = rf" ({_SAFE}{{10}}z[{_POSTFIX[:-1]}]+): "


def read_id_clocks(queue_ids: pl.Series) -> pl.Series:
    """Return the UTC instant (µs; Exim: whole seconds) in each queue id; null where it has none."""
    parts = queue_ids.str.extract_groups(_LONG_ID).struct.unnest()
    exim = queue_ids.str.extract(_EXIM_ID, 1)
    micros = _number(parts["1"], _POSTFIX, 6) * 1_000_000 + _number(parts["2"], _POSTFIX, 4)
    micros = np.where(parts["1"].is_not_null().to_numpy(), micros, _number(exim, _EXIM, 6) * 1_000_000)
    is_clock = (micros >= _FIRST_SECOND * 1_000_000) & (micros < _LAST_SECOND * 1_000_000)
    clocks = pl.Series("clock", np.where(is_clock, micros, -1)).replace(-1, None)
    return clocks.cast(pl.Datetime("us", "UTC"))


def read_clocks_in_lines(lines: pl.Series) -> pl.Series:
    """Return the UTC instant in the first queue id with a clock of each log line; null where it has none."""
    long, exim = (read_id_clocks(lines.str.extract(pattern, 1)) for pattern in (_LONG_ID_IN_A_LINE, _EXIM_ID_IN_A_LINE))
    return long.zip_with(long.is_not_null(), exim)


def typical_clock(lines: pl.Series) -> datetime | None:
    """Return the median of the clocks in the long ids of log lines; None where they have none."""
    clock = read_id_clocks(lines.str.extract(_LONG_ID_IN_A_LINE, 1)).drop_nulls().median()
    return clock if isinstance(clock, datetime) else None


def _number(digits: pl.Series, alphabet: str, places: int) -> npt.NDArray[np.int64]:
    """Read fixed-width numbers in the base of `alphabet`; zero for null."""
    value = np.zeros(256, np.int64)
    value[np.frombuffer(alphabet.encode(), np.uint8)] = np.arange(len(alphabet))
    text = digits.fill_null("0" * places).to_numpy().astype(f"S{places}")
    places_of = np.frombuffer(text.tobytes(), np.uint8).reshape(-1, places)
    return value[places_of] @ (len(alphabet) ** np.arange(places - 1, -1, -1, dtype=np.int64))

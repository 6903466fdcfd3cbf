"""The inner loops of reading a log, compiled by numba: one pass over the bytes of each line.

Loaded by `compiled.py` only. A loop fills the arrays that it is given. None goes beyond the rules that its plain twin
states (`spans.py`, `stamps.py`, `syslog_tags.py`, `postfix.py`): a line that it does not prove to be plain is left to
that.

All places are bytes of a padded block (`spans.PADDING`), so that the first bytes of a string may be read together.
"""

from typing import Any

import numpy as np
from numba import njit, types

_ALNUM, _DIGIT, _SPECIAL, _CASED = 1, 2, 4, 8
# What a byte may be: part of a queue id, a digit, what no plain field holds, what lower case may change.
_CLASSES = np.zeros(256, np.uint8)
for _class, _members in (
    (_ALNUM | _DIGIT, b"0123456789"),
    (_ALNUM, b"abcdefghijklmnopqrstuvwxyz"),
    (_ALNUM | _CASED, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    (_SPECIAL, b' ",<>'),
    (_CASED, bytes(range(0x80, 0x100))),
):
    _CLASSES[list(_members)] |= _class
# What an operation of a template reads before its literal: ABSENT is a field that other templates of its table have.
QUEUE_ID, ABSENT, WORD, ADDRESS, NUMBER, STATUS = range(6)
_POWERS = 10.0 ** np.arange(16)
_MOST_NUMBER_BYTES = 15
_LEAST_ID, _MOST_ID = 5, 24
_LONGEST_NAME, _LONGEST_PID = 32, 10
_INLINE = 12
_BLANK, _POINT, _COLON, _DASH, _PLUS, _COMMA, _OPENING, _CLOSING, _LESS, _LEFT_BRACKET, _RIGHT_BRACKET = (
    ord(mark) for mark in " .:-+,[]<()"
)
_RUN_BYTES = 16
_YEARLESS_WIDTH = 15
_SECOND, _DAY = 1_000_000, 86_400_000_000


def _array(dtype: Any, dimensions: int = 1) -> Any:
    return types.Array(dtype, dimensions, "C")


def _given(dtype: Any, dimensions: int = 1) -> Any:
    return types.Array(dtype, dimensions, "C", readonly=True)


_BYTES, _PLACES, _MASK = _given(types.uint8), _given(types.int64), _array(types.boolean)
_NUMBERS = _array(types.int64)


def _loop(*arguments: Any, returns: Any = types.void) -> Any:
    return njit(returns(*arguments), cache=True, nogil=True, error_model="numpy")


_part = njit(nogil=True, error_model="numpy")


@_part
def _view(block, start, length):
    """Return the two halves of a string's Arrow view."""
    first = np.uint64(length) | np.uint64(_letters(block, start)) << np.uint64(32)
    if length > _INLINE:
        return first, np.uint64(start) << np.uint64(32)
    second = np.uint64(_letters(block, start + 4)) | np.uint64(_letters(block, start + 8)) << np.uint64(32)
    if length < 4:
        return first & (np.uint64(1) << np.uint64(32 + 8 * length)) - np.uint64(1), np.uint64(0)
    if length < _INLINE:
        second &= (np.uint64(1) << np.uint64(8 * length - 32)) - np.uint64(1)
    return first, second


@_part
def _is_at(block, place, text, first, last):
    """Say whether the bytes from `place` are those of `text` from `first` to before `last`."""
    for at in range(first, last):  # noqa: SIM110, as numba compiles no generators
        if block[place + at - first] != text[at]:
            return False
    return True


@_part
def _letters(block, place):
    """Return four bytes as a number."""
    return (
        np.uint32(block[place])
        | np.uint32(block[place + 1]) << np.uint32(8)
        | np.uint32(block[place + 2]) << np.uint32(16)
        | np.uint32(block[place + 3]) << np.uint32(24)
    )


@_part
def _two_digits(block, place):
    """Read two digits; below zero where they are none."""
    if not (_CLASSES[block[place]] & _DIGIT and _CLASSES[block[place + 1]] & _DIGIT):
        return -10_000
    return (np.int64(block[place]) - 48) * 10 + np.int64(block[place + 1]) - 48


@_part
def _time_of_day(block, place):
    """Read `02:22:48` in seconds; below zero where that is none."""
    hour, minute, second = (
        _two_digits(block, place),
        _two_digits(block, place + 3),
        _two_digits(block, place + 6),
    )
    is_so = block[place + 2] == _COLON and block[place + 5] == _COLON
    if not (is_so and 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second <= 60):
        return -1
    return (hour * 60 + minute) * 60 + second


@_loop(_BYTES, _PLACES, _PLACES, _array(types.uint64, 2))
def write_views(block, starts, ends, views):
    """Write strings as Arrow string views."""
    for row in range(len(starts)):
        views[row, 0], views[row, 1] = _view(block, starts[row], ends[row] - starts[row])


@_loop(_BYTES, _PLACES, _PLACES, _MASK)
def begin_runs(block, starts, ends, is_new):
    """Say where the first 16 bytes differ from those of the string before, or either is shorter."""
    was_short = True
    for row in range(len(starts)):
        start = starts[row]
        is_short = ends[row] - start < _RUN_BYTES
        is_new[row] = is_short or was_short or not _is_at(block, start, block, starts[row - 1], starts[row - 1] + 16)
        was_short = is_short


@_loop(_BYTES, _PLACES, _PLACES, _given(types.uint32), _NUMBERS, _NUMBERS, _NUMBERS, _MASK)
def read_yearless(block, starts, ends, months, month, day, time, is_plain):
    """Read `Nov 25 02:22:48`: month and day from 1, microseconds of the day; what is no such stamp is not plain."""
    for row in range(len(starts)):
        start = starts[row]
        is_plain[row] = False
        if ends[row] - start != _YEARLESS_WIDTH:
            continue
        name = _letters(block, start) & np.uint32(0xFFFFFF)
        number = 0
        for place in range(len(months)):
            if months[place] == name:
                number = place + 1
        tens = np.int64(block[start + 4]) - 48
        if block[start + 4] == _BLANK:
            tens = 0
        ones = np.int64(block[start + 5]) - 48
        seconds = _time_of_day(block, start + 7)
        is_plain[row] = (
            number > 0
            and 0 <= tens <= 9
            and 0 <= ones <= 9
            and seconds >= 0
            and block[start + 3] == _BLANK
            and block[start + 6] == _BLANK
        )
        month[row] = number
        day[row] = tens * 10 + ones
        time[row] = seconds * _SECOND


@_part
def _days_since_1970(year, month, day):
    """Count days to a date (H. Hinnant, *chrono-compatible low-level date algorithms*)."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@_loop(_BYTES, _PLACES, _PLACES, _NUMBERS, _MASK)
def read_zoned(block, starts, ends, micros, is_plain):
    """Read `2026-11-25T02:22:48[.123456]+13:00` or `…Z` in microseconds since 1970; days after the 28th are not plain,
    nor is any other spelling."""
    for row in range(len(starts)):
        start, end = starts[row], ends[row]
        is_plain[row] = False
        micros[row] = 0
        if end - start < 20:
            continue
        year = _two_digits(block, start) * 100 + _two_digits(block, start + 2)
        month, day = _two_digits(block, start + 5), _two_digits(block, start + 8)
        seconds = _time_of_day(block, start + 11)
        has_marks = block[start + 4] == _DASH and block[start + 7] == _DASH and block[start + 10] == 84
        if year < 1 or not 1 <= month <= 12 or not 1 <= day <= 28 or seconds < 0 or not has_marks:
            continue
        at, fraction, unit = start + 19, 0, _SECOND
        if block[at] == _POINT:
            at += 1
            while at < end and _CLASSES[block[at]] & _DIGIT and unit > 1:
                unit //= 10
                fraction += (np.int64(block[at]) - 48) * unit
                at += 1
            if unit == _SECOND:
                continue
        offset = 0
        if end - at == 6 and (block[at] == _PLUS or block[at] == _DASH) and block[at + 3] == _COLON:
            hours, minutes = _two_digits(block, at + 1), _two_digits(block, at + 4)
            if hours < 0 or minutes < 0:
                continue
            offset = (hours * 60 + minutes) * 60 * (1 if block[at] == _PLUS else -1)
        elif not (end - at == 1 and block[at] == 90):
            continue
        micros[row] = _days_since_1970(year, month, day) * _DAY + (seconds - offset) * _SECOND + fraction
        is_plain[row] = True


@_part
def _known_name(block, start, end, names, count):
    """Return the number of the name from `start` to `end`, which is added if new; -1 if the table is full."""
    length = end - start
    for number in range(count):
        if names[number, 1] == length and _is_at(block, start, block, names[number, 0], names[number, 0] + length):
            return number
    if count == len(names):
        return -1
    names[count, 0] = start
    names[count, 1] = length
    return count


@_loop(
    _BYTES,
    _PLACES,
    _PLACES,
    _NUMBERS,
    _array(types.int32),
    _array(types.int32),
    _array(types.int64, 2),
    _array(types.int64, 2),
    returns=types.UniTuple(types.int64, 2),
)
def read_tags(block, starts, ends, bodies, hosts, programs, host_names, program_names):
    """Read `host program[pid]: `: the number of each name, and where the text begins (-1: not plain).

    The names are given as start and length. Returns how many there are of each.
    """
    known_hosts = known_programs = 0
    for row in range(len(starts)):
        start, end = starts[row], ends[row]
        bodies[row] = -1
        hosts[row] = programs[row] = 0
        at = start
        while at < end and block[at] != _BLANK and at - start < _LONGEST_NAME:
            at += 1
        if at == start or at >= end or block[at] != _BLANK or block[start] == _LESS:
            continue
        host = _known_name(block, start, at, host_names, known_hosts)
        start = at + 1
        at = start
        while at < end and at - start < _LONGEST_NAME:
            if block[at] == _OPENING or block[at] == _COLON or block[at] == _BLANK:
                break
            at += 1
        if at == start or at >= end or block[at] != _OPENING:
            continue
        opening = at
        at += 1
        while at < end and _CLASSES[block[at]] & _DIGIT:
            at += 1
        is_pid = 0 < at - opening - 1 <= _LONGEST_PID
        if not is_pid or at + 3 > end or block[at] != _CLOSING or block[at + 1] != _COLON or block[at + 2] != _BLANK:
            continue
        program = _known_name(block, start, opening, program_names, known_programs)
        if host < 0 or program < 0:
            continue
        known_hosts, known_programs = max(known_hosts, host + 1), max(known_programs, program + 1)
        hosts[row] = host
        programs[row] = program
        bodies[row] = at + 3
    return known_hosts, known_programs


@_part
def _names_one_of(block, start, end, marks, mark_ends, begins_mark):
    """Say whether any of some marks stands in a text."""
    for at in range(start, end):
        if not begins_mark[block[at]]:
            continue
        first = 0
        for number in range(len(mark_ends)):
            last = mark_ends[number]
            if at + last - first <= end and _is_at(block, at, marks, first, last):
                return True
            first = last
    return False


@_part
def _status(block, start, end, words, word_ends):
    """Read the word before the end or ` (`: its number (-1: it is none of them), and where what it says begins."""
    first = 0
    for number in range(len(word_ends)):
        last = word_ends[number]
        behind = start + last - first
        if behind <= end and _is_at(block, start, words, first, last):
            if behind == end:
                return number, end
            if behind + 2 <= end and block[behind] == _BLANK and block[behind + 1] == _LEFT_BRACKET:
                return number, behind + 2
        first = last
    return -1, end


@_part
def _number(block, start, end):
    """Read digits with at most a point among them: the number, and where it ends (-1: it is none)."""
    at, value, decimals, has_point = start, np.int64(0), 0, False
    while at < end:
        if _CLASSES[block[at]] & _DIGIT:
            value = value * 10 + np.int64(block[at]) - 48
            decimals += has_point
        elif block[at] == _POINT and not has_point and at > start:
            has_point = True
        else:
            break
        at += 1
    if at == start or at - start > _MOST_NUMBER_BYTES or (has_point and not decimals):
        return 0.0, np.int64(-1)
    return value / _POWERS[decimals], at


@_loop(
    _BYTES,
    _PLACES,
    _PLACES,
    types.Tuple((_given(types.uint32), _given(types.uint32), types.int64, types.int64)),
    types.Tuple((_given(types.uint32), _PLACES, _PLACES, _given(types.int64, 2), _BYTES)),
    types.Tuple((_BYTES, _PLACES, types.int64, _BYTES, _PLACES)),
    types.Tuple((_array(types.int64, 2), _array(types.uint64, 3), _array(types.boolean, 2), _array(types.float64, 2))),
    _array(types.int8),
    _MASK,
    _array(types.uint8),
    _array(types.int64),
    _MASK,
)
def cut_facts(block, starts, ends, letters, templates, words, tables, status, may_name, cased, counts, is_left):
    """Cut `QUEUE_ID: <fact>` by the templates that begin with the fact's first letters, into the tables of those.

    A table's rows are those of its lines in turn. The first text of each is the queue id, texts are Arrow string views
    and may be absent. A fact that begins with none of the letters known is none, unless it is so short that it may be
    torn; `is_left` says which lines are left to others.
    """
    no_queue_ids, known_letters, longest_id, longest_beginning = letters
    begins, table_of, firsts, operations, literals = templates
    statuses, status_ends, sent, marks, mark_ends = words
    rows, texts, is_there, numbers = tables
    begins_mark = np.zeros(256, np.bool_)
    first = 0
    for number in range(len(mark_ends)):
        begins_mark[marks[first]] = True
        first = mark_ends[number]
    for row in range(len(starts)):
        start, end = starts[row], ends[row]
        is_left[row] = True
        if start < 0:  # never: so the compiler knows that no place is counted from an end
            continue
        at = start
        while at < end and _CLASSES[block[at]] & _ALNUM:
            at += 1
        id_end = at
        while at + 1 < end and not (block[at] == _COLON and block[at + 1] == _BLANK):
            at += 1
        colon = at if at + 1 < end else end
        fact = min(colon + 2, end)
        fact_letters = _letters(block, fact)
        is_known = False
        if end - fact >= 4:
            for number in range(len(known_letters)):
                if known_letters[number] == fact_letters:
                    is_known = True
                    break
        if not is_known:
            is_left[row] = colon - start <= longest_id and end - fact < longest_beginning
            continue
        if colon != id_end or not _LEAST_ID <= id_end - start <= _MOST_ID:
            continue
        before, is_id = _letters(block, start), True
        for number in range(len(no_queue_ids)):
            is_id &= no_queue_ids[number] != before
        if not is_id:
            continue
        for template in range(len(begins)):
            if begins[template] != fact_letters:
                continue
            table = table_of[template]
            line = counts[table]
            at = fact
            for number in range(firsts[template], firsts[template + 1]):
                kind, slot = operations[number, 0], operations[number, 1]
                literal, literal_end = operations[number, 2], operations[number, 3]
                begin = at
                if kind in (WORD, ADDRESS):
                    seen = np.uint8(0)
                    while at < end and not _CLASSES[block[at]] & _SPECIAL:
                        seen |= _CLASSES[block[at]]
                        at += 1
                    if kind == WORD and at == begin:
                        at = -1
                        break
                    cased[slot] |= seen & _CASED
                    texts[slot, line, 0], texts[slot, line, 1] = _view(block, begin, at - begin)
                    is_there[slot, line] = True
                elif kind == NUMBER:
                    value, at = _number(block, begin, end)
                    if at < 0:
                        break
                    if slot >= 0:
                        numbers[slot, line] = value
                elif kind == STATUS:
                    word, reply = _status(block, begin, end, statuses, status_ends)
                    if word < 0:
                        at = -1
                        break
                    status[line] = word
                    is_there[slot, line] = reply < end and word != sent
                    texts[slot, line, 0], texts[slot, line, 1] = _view(block, reply, end - reply)
                    is_whole = word == sent and reply < end and block[end - 1] == _RIGHT_BRACKET
                    may_name[line] = is_whole and _names_one_of(block, reply, end, marks, mark_ends, begins_mark)
                    at = end
                elif kind == ABSENT:
                    is_there[slot, line] = False
                    texts[slot, line, 0] = texts[slot, line, 1] = 0
                elif kind == QUEUE_ID:
                    texts[slot, line, 0], texts[slot, line, 1] = _view(block, start, id_end - start)
                    is_there[slot, line] = True
                if at + literal_end - literal > end or not _is_at(block, at, literals, literal, literal_end):
                    at = -1
                    break
                at += literal_end - literal
            if at == end:
                rows[table, line] = row
                counts[table] += 1
                is_left[row] = False
                break

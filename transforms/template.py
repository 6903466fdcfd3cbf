"""The usual shape of a line, as a template that is cut out by plain searches: no regular expression, no copy.

    from=<{sender:address}>, size={:number}, nrcpt={recipient_count:number} (queue active)

Rule: a template is for the plain case, in which nothing can be mistaken. A string has its shape if the template's
literals follow one another up to the very end and each field is plain: an `address` or a `word` holds no blank, comma,
quotation mark or angle bracket (a `word` holds something), a `number` is digits with at most a point. Only a `text`
field, which must be the last, takes whatever follows. All else, quoted addresses and imitations of the literals above
all, is left to a regular expression that spells the whole grammar of the line.
"""

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from transforms.decimals import read_decimals
from transforms.spans import ABSENT, Mask, Places, Spans

_FIELD = re.compile(r"\{(\w*):(address|word|number|text)\}")
_NOT_PLAIN = r'[ ",<>]'


@dataclass(frozen=True)
class Match:
    """The strings that have a template's shape.

    `rows` are their numbers, `fields` columns of strings (numbers: Float64), `text` what stands behind the last
    literal.
    """

    rows: Places
    fields: dict[str, pl.Series]
    text: Spans


def match(strings: Spans, template: str) -> Match:
    """Cut the strings that have the template's shape."""
    begin, parts = parsed(template)
    rows = np.flatnonzero(strings.begins_with(begin.encode()))
    rest = (strings if len(rows) == len(strings) else strings.take(rows)).after(len(begin))
    fields: dict[str, pl.Series] = {}
    for name, kind, literal in parts:
        if kind == "text":
            break
        fields[name], keep, end = _read(rest, kind, literal)
        rest = rest.cut(end + len(literal), rest.end)
        if not keep.all():
            rows, rest = rows[keep], rest.take(keep)
            fields = {column: values.filter(pl.Series(keep)) for column, values in fields.items()}
    else:
        is_whole = rest.lengths == 0
        if not is_whole.all():
            rows, rest = rows[is_whole], rest.take(is_whole)
            fields = {column: values.filter(pl.Series(is_whole)) for column, values in fields.items()}
    fields.pop("", None)
    return Match(rows, fields, rest)


@cache
def parsed(template: str) -> tuple[str, tuple[tuple[str, str, str], ...]]:
    """Return what a template begins with, and each field's name, kind, and the literal behind it."""
    begin, *parts = _FIELD.split(template)
    return begin, tuple(zip(parts[::3], parts[1::3], parts[2::3], strict=True))


def _read(rest: Spans, kind: str, literal: str) -> tuple[pl.Series, Mask, Places]:
    """Read the field that each string begins with, up to a literal: its value, whether it is plain, its end."""
    if kind == "number":
        numbers, is_number, end = read_decimals(rest, literal)
        return pl.Series(numbers), is_number, end
    end = rest.find(literal) if literal else rest.end
    values = rest.cut(rest.start, end)
    column = values.series()
    is_plain = (end != ABSENT) & ~column.str.contains(_NOT_PLAIN).to_numpy()
    return column, is_plain & (values.lengths > 0) if kind == "word" else is_plain, end

"""Why nothing was published: each failed gate as sentences that say what is wrong, what is allowed and what to do."""

import polars as pl


def reasons(gates: pl.DataFrame) -> list[str]:
    """Return one text per failed gate of severity `fail` in GATES, in their order; none where all held.

    The texts hold no address: a refusal page is public.
    """
    failed = gates.filter((pl.col("severity") == "fail") & ~pl.col("is_passed"))
    return [
        f"{_sentence(row['observed'])} Allowed: {_sentence(row['limit'], is_first=False)} {_sentence(row['remedy'])}"
        for row in failed.iter_rows(named=True)
    ]


def is_refused(gates: pl.DataFrame) -> bool:
    """Say whether any gate of severity `fail` did not hold."""
    return not gates.filter(pl.col("severity") == "fail")["is_passed"].all()


def _sentence(text: str, is_first: bool = True) -> str:
    """Begin with a capital, unless the first word is a name with digits in it, and end with a full stop."""
    word = text.split(" ", 1)[0]
    begin = text[:1].upper() + text[1:] if is_first and word.isalpha() else text
    return begin if begin.endswith((".", "!", "?")) else f"{begin}."

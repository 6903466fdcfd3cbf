"""In which year each file of a year-less log begins, in whatever order the files are given."""

from datetime import UTC, datetime

import pytest

from transforms.years import first_years, is_yearless

NOV, DEC, NEW_YEAR_S_EVE = "Nov 25 02:22:48 mx1", "Dec 10 00:00:00 mx1", "Dec 31 23:59:59 mx1"
JAN, FEB = "Jan  1 00:00:00 mx1", "Feb 10 00:00:00 mx1"
AUG, MAR = "Aug  1 00:00:00 mx1", "Mar  1 00:00:00 mx1"
OTHER = "no stamp at all"


@pytest.mark.parametrize(
    ("edges", "years"),
    [
        ([(NOV, DEC)], [2030]),
        ([(NOV, DEC), (DEC, NEW_YEAR_S_EVE), (JAN, FEB)], [2030, 2030, 2031]),
        ([(JAN, FEB), (NOV, DEC), (DEC, NEW_YEAR_S_EVE)], [2031, 2030, 2030]),
        ([(DEC, JAN), (JAN, FEB)], [2030, 2031]),
        ([(DEC, FEB)], [2030]),
        ([(DEC, NOV), (NOV, DEC)], [2030, 2030]),  # one has its pieces joined, the newest first
        ([(AUG, MAR), (JAN, FEB)], [2030, 2031]),  # one goes on for seven months
        ([(JAN, FEB)], [2030]),
        ([(OTHER, OTHER), (NOV, JAN)], [2030, 2030]),
        ([(OTHER, OTHER)], [2030]),
        ([], []),
    ],
)
def test_the_declared_year_is_that_of_the_logs_first_line(edges: list[tuple[str, str]], years: list[int]) -> None:
    assert first_years(edges, 2030, None) == years


@pytest.mark.parametrize(
    ("edges", "near", "years"),
    [
        ([(NOV, DEC)], "2030-12-10", [2030]),
        ([(NOV, DEC)], "2031-01-10", [2030]),
        ([(NOV, FEB)], "2031-01-10", [2030]),
        ([(JAN, FEB)], "2031-01-10", [2031]),
        ([(JAN, FEB), (NOV, NEW_YEAR_S_EVE)], "2031-02-10", [2031, 2030]),
    ],
)
def test_without_one_the_year_brings_the_log_nearest_to_a_known_instant(
    edges: list[tuple[str, str]], near: str, years: list[int]
) -> None:
    assert first_years(edges, None, datetime.fromisoformat(near).replace(tzinfo=UTC)) == years


def test_one_of_both_must_be_known() -> None:
    with pytest.raises(ValueError, match="year"):
        first_years([(NOV, DEC)], None, None)


@pytest.mark.parametrize(
    ("line", "needs_a_year"),
    [
        (NOV, True),
        ("<22>Nov 25 02:22:48 mx1", True),
        ("Nov 31 02:22:48 mx1", False),
        ("2030-11-25T02:22:48Z mx1", False),
        ("2030-11-25 02:22:48 1qHw4C-0005kN-Lz <= a", False),
        ("", False),
    ],
)
def test_which_stamps_need_their_year_from_elsewhere(line: str, needs_a_year: bool) -> None:
    assert is_yearless(line) is needs_a_year

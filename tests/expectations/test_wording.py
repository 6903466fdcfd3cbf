from datetime import UTC, datetime

import pytest

from expectations import wording
from transforms.gate_limits import GateLimits


@pytest.mark.parametrize(
    ("value", "noun", "rest", "words"),
    [
        (0, "row", "", "0 rows"),
        (1, "delivery", "without an end", "1 delivery without an end"),
        (1000, "delivery", "", "1,000 deliveries"),
        (2, "address", "", "2 addresses"),
        (2, "day", "", "2 days"),
    ],
)
def test_a_count_agrees_with_its_noun(value: int, noun: str, rest: str, words: str) -> None:
    assert wording.counted(value, noun, rest) == words


def test_a_share_next_to_its_limit_can_be_told_from_it() -> None:
    assert [wording.share(s) for s in (0.005, 0.00501, 0.0, 1.0)] == ["0.5 %", "0.501 %", "0 %", "100 %"]


def test_a_list_names_five_and_counts_the_rest() -> None:
    assert wording.listed(["a", "b", "c", "d", "e"]) == "a, b, c, d, e"
    assert wording.listed(["a", "b", "c", "d", "e", "f"]) == "a, b, c, d, e and 1 more"


def test_instants_are_told_in_the_zone_of_the_incident() -> None:
    assert wording.moment(datetime(2030, 11, 1, 0, 5, tzinfo=UTC), "Pacific/Auckland") == "1 Nov 2030 13:05 NZDT"


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.45, "27 seconds"), (15, "15 minutes"), (119.4, "119 minutes"), (180, "3 hours"), (2 * 1440, "2 days")],
)
def test_lengths_of_time(value: float, words: str) -> None:
    assert wording.minutes(value) == words


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("logs/mail.log", "mail.log"),
        ("s3://bucket/day/mail.log.gz?secret=x", "mail.log.gz"),
        ("mail.log", "mail.log"),
        ("logs/mail #1?.log", "mail #1?.log"),
    ],
)
def test_files_are_named_without_folder_or_query(uri: str, name: str) -> None:
    assert wording.file_name(uri) == name


def test_a_limit_says_whether_the_incident_file_changed_it() -> None:
    changed = GateLimits(unmatched_share=0.2)
    assert wording.allowed("at most 20 %", changed, "unmatched_share").endswith("(changed by the incident file)")
    assert wording.allowed("at most 0.5 %", changed, "quarantined_share").endswith("(default)")


def test_files_of_one_name_are_told_apart() -> None:
    uris = ["a/mx1/mail.log", "a/mx2/mail.log", "b/mx2/mail.log", "other.log"]
    names = ["mx1/mail.log", "mx2/mail.log (file 2)", "mx2/mail.log (file 3)", "other.log"]
    assert wording.distinct_names(uris) == names

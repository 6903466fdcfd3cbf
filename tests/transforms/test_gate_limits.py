"""The gates' limits: the defaults that the project promises, and a meaning for each."""

from dataclasses import asdict

import pytest

from transforms.gate_limits import GateLimits, meaning_of


def test_defaults() -> None:
    assert asdict(GateLimits()) == {
        "quarantined_share": 0.005,
        "quarantined_share_of_a_file": 0.05,
        "unmatched_share": 0.05,
        "unmatched_share_warn": 0.01,
        "incomplete_records": 0,
        "ambiguous_addresses": 0,
        "silence_minutes": 15,
        "clock_step_seconds": 60,
        "final_after_days": 5,
    }


def test_every_limit_says_what_it_means() -> None:
    assert len({meaning_of(name) for name in asdict(GateLimits())}) == len(asdict(GateLimits()))
    with pytest.raises(KeyError):
        meaning_of("nothing")

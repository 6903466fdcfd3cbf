"""The policy file of redress: what it may say, and one sentence for what it may not."""

from pathlib import Path

import pytest

from mailtoll.redress_policy import read_redress_policy
from mailtoll.steps import run_incident
from sources.errors import BadInput
from tests.mailtoll import tiny
from transforms.redress import Cut, Scheme

POLICY = """\
currency: NZD
schemes:
  - {name: Flat, measure: late, tiers: [{from: 1, pay: 10}]}
  - {name: By the day, measure: days, each: 5, most: 50, segments: [business]}
"""


def test_a_policy_is_read(tmp_path: Path) -> None:
    path = tmp_path / "redress.yaml"
    path.write_text(POLICY)
    policy = read_redress_policy(path)
    assert policy.currency == "NZD"
    assert [entry.scheme() for entry in policy.schemes] == [
        Scheme("Flat", "late", (Cut(1, 10),)),
        Scheme("By the day", "days", (Cut(0, 5, is_each=True, most=50),), ("business",)),
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("measure: late", "measure: tears", "line 3: schemes.0.measure: 'tears' is not known; write one of late,"),
        ("pay: 10", "pay: -1", "line 3: schemes.0.tiers.0.pay: Input should be greater than 0"),
        ("pay: 10", "pay: nan", "line 3: schemes.0.tiers.0.pay: "),
        ("tiers: [{from: 1, pay: 10}]", "most: 1", "line 3: schemes.0: give either tiers or each"),
        ("{from: 1, pay: 10}", "{from: 2, pay: 9}, {from: 2, pay: 10}", "line 3: schemes.0: tiers must rise"),
        ("By the day", "Flat", "policy: two schemes are called 'Flat'"),
        ("currency: NZD", "money: NZD", "line 1: "),
    ],
)
def test_what_will_not_do_is_said_in_one_sentence(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "redress.yaml"
    path.write_text(POLICY.replace(old, new))
    with pytest.raises(BadInput) as error:
        read_redress_policy(path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_the_report_says_what_each_scheme_would_cost(tmp_path: Path) -> None:
    incident = tiny.write(tmp_path / "in")
    (incident.parent / "redress.yaml").write_text(POLICY)
    incident.write_text(incident.read_text() + "redress: redress.yaml\n")
    run_incident(incident, tmp_path / "out", lambda step: None)
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert 'id="redress-table"' in page
    assert "cost, NZD" in page
    assert "redress" not in (tmp_path / "out/public/index.html").read_text(encoding="utf-8")

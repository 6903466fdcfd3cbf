"""The replay of a part gives what the run over the whole gave, whatever server wrote the logs."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from expectations.tables import DELIVERIES
from mailtoll import steps
from mailtoll.explain_facts import facts_of
from mailtoll.explain_replay import kept_context, replay
from mailtoll.explain_subject import find_subject
from mailtoll.run import Run
from tests.mailtoll.ungated import stand_in
from tests.simulate import simulate, write_incident
from transforms import impact

SUBJECTS = 6


@pytest.mark.parametrize(
    ("dialect", "with_filter"),
    [("postfix-rfc3339", True), ("postfix-rfc3164", False), ("exim", False), ("sendmail", False), ("exchange", False)],
)
def test_a_replay_is_the_run_in_small(
    dialect: str, with_filter: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch)
    outage = simulate(
        11,
        messages=500,
        days=3,
        flood_hours=4,
        with_filter=with_filter,
        cut_off="flood",
        tags=True,
        unmatched_share=0.05,
    )
    incident = str(write_incident(outage, tmp_path / "in", dialect))
    out = str(tmp_path / "out")
    for source_id in steps.pull_logs(incident, out):
        steps.parse_log(incident, out, source_id)
    steps.pull_customer_records(incident, out)
    steps.check_inputs(incident, out)
    steps.stitch(incident, out)
    run = Run.of(incident, out)
    whole = pl.read_parquet(run.warehouse.table("deliveries"))
    busiest = whole.filter(pl.col("mailbox").is_not_null()).group_by("mailbox").len().sort("len", "mailbox")["mailbox"]
    unmatched = whole.filter(segment="unmatched")["mailbox_or_address"].unique().sort()
    assert len(unmatched) > 0, "one of the subjects is in no record"
    for asked in [*busiest[-SUBJECTS:], unmatched[0]]:
        subject = find_subject(run.records, asked)
        with impact.workspace() as db:
            replay(db, run.event_files(), run.records, run.settings, kept_context(run.warehouse), subject.names)
            part = facts_of(db, subject)
        mine = pl.col("mailbox") == asked if subject.kind == "mailbox" else pl.col("mailbox_or_address") == asked
        expected = DELIVERIES.conform(whole.filter(mine)).sort("arrived_at", "message_key", "mailbox_or_address")
        assert_frame_equal(part.table, expected)
        assert all(told.legs and told.lines for told in part.deliveries), "each verdict leads to its legs and lines"

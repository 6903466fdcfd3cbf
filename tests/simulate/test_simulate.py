"""The simulator itself: its logs tell its truth, its grid is what a hand count gives."""

from datetime import date
from functools import cache

import pytest

from tests.simulate import (
    PostfixOptions,
    direction,
    simulate,
    truth_cells,
    truth_deliveries,
    truth_outcomes,
    truth_refusals,
)
from tests.simulate.dialects import Written, write_down
from tests.simulate.naive_others import exchange_rows, read_exchange, read_exim, read_sendmail
from tests.simulate.naive_reader import Story, read_postfix
from tests.simulate.outage import Message, Outage, Recipient, Record, unix
from tests.simulate.postfix import PostfixLog
from tests.simulate.queue_ids import long_id
from tests.simulate.syslog import spell

NOON = unix("2030-03-04T12:00:00Z")


@cache
def small(**options: object) -> Outage:
    return simulate(3, **{"messages": 2500, "days": 5, "accounts": 120, **options})  # type: ignore[arg-type]


def told_by_log(outage: Outage, options: PostfixOptions) -> Story:
    log = PostfixLog(outage, options)
    return read_postfix(text for host in outage.hosts for text in spell(log.lines[host], host, "rfc3339"))


def story_of(outage: Outage) -> Story:
    """The truth, by arrival and the server's name for the recipient: the alias while it waits before the filter."""
    now, story = outage.log_end, Story()
    for message in outage.messages:
        for r in message.recipients:
            is_open = r.end is None or r.end >= now
            word = "delivered" if r.result == "sent" else "rejected_recipient" if r.result == "unknown" else "lost"
            ended = (None, "pending") if is_open else (r.end, word)
            story.setdefault((message.arrived_at, r.final.lower()), set()).add(ended)
    return story


def by_mailbox(told: Story, outage: Outage) -> Story:
    mailbox_of = {r.address: r.mailbox for r in outage.records}
    merged: Story = {}
    for (at, to), ends in told.items():
        merged.setdefault((at, mailbox_of.get(to, to)), set()).update(ends)
    return merged


@pytest.mark.parametrize("cut_off", [None, "flood"])
@pytest.mark.parametrize("aliases", ["before", "after"])
@pytest.mark.parametrize(("with_filter", "next_host"), [(False, False), (True, False), (True, True)])
def test_a_simple_reader_finds_the_truth_in_the_log(
    cut_off: str | None, aliases: str, with_filter: bool, next_host: bool
) -> None:
    outage = small(cut_off=cut_off, with_filter=with_filter)
    options = PostfixOptions(aliases=aliases, filter_on_next_host=next_host, long_ids=next_host)  # type: ignore[arg-type]
    assert by_mailbox(told_by_log(outage, options), outage) == by_mailbox(story_of(outage), outage)


def everything_said(written: Written) -> list[str]:
    return [text for texts in written.texts.values() for text in texts]


@pytest.mark.parametrize("cut_off", [None, "flood"])
@pytest.mark.parametrize("dialect", ["exim", "exim-local", "sendmail", "exchange"])
def test_simple_readers_find_the_truth_in_the_other_dialects(dialect: str, cut_off: str | None) -> None:
    outage = small(cut_off=cut_off)
    written = write_down(outage, dialect)
    if dialect == "exchange":
        assert written.header
        told = read_exchange([exchange_rows(written.header(host, 0.0), texts) for host, texts in written.texts.items()])
    elif dialect == "sendmail":
        told = read_sendmail(everything_said(written), 2030)
    else:
        told = read_exim(everything_said(written), {r.address: r.mailbox for r in outage.records})
    assert by_mailbox(told, outage) == by_mailbox(story_of(outage), outage)


def test_the_outage_has_one_of_everything() -> None:
    outage = small(with_filter=True, cut_off="flood", tags=True)
    messages = outage.messages
    assert {r.result for m in messages for r in m.recipients} >= {"sent", "unknown", "refused", "deleted", "waiting"}
    assert any(m.requeued for m in messages)
    assert any(m.held and m.held[1] for m in messages)
    assert any(m.held and not m.held[1] for m in messages)
    assert any(m.refused_at for m in messages)
    assert any(not m.sender for m in messages)
    assert any(len({r.final for r in m.recipients}) < len(m.recipients) for m in messages)
    assert any("+news@" in r.written for m in messages for r in m.recipients)
    assert any(not r.is_local for m in messages for r in m.recipients)
    deliveries = truth_deliveries(outage)
    assert {d.segment for d in deliveries} == {"business", "residential", "unmatched"}
    assert {900, 3600} <= {d.delay for d in deliveries}
    assert {899, 3599} <= {d.delay for d in deliveries}
    at_edges = {d.arrived_at for d in truth_deliveries(small())} & {e - n for e in outage.window for n in (0, 1)}
    assert len(at_edges) == 4


def test_the_same_seed_gives_the_same_outage_and_another_one_does_not() -> None:
    assert truth_cells(small()) == truth_cells(simulate(3, messages=2500, days=5, accounts=120))
    assert truth_cells(small()) != truth_cells(simulate(4, messages=2500, days=5, accounts=120))


def test_refusals_come_before_the_arrival_of_the_same_message() -> None:
    refusals = truth_refusals(small())
    assert len(refusals) > 5
    assert all(refused < accepted for *_, refused, accepted in refusals)


def test_directions_follow_the_domains() -> None:
    outage = small()
    found = {direction(outage, m, r): (m.sender, r.written) for m in outage.messages for r in m.recipients}
    assert set(found) == {"inbound", "internal", "outbound"}
    assert all("officemail" in address for address in map(str.lower, found["internal"]))
    assert "officemail" not in found["outbound"][1]


def test_hostile_mail_has_subjects_that_imitate_lines_and_the_same_truth() -> None:
    outage = small(hostile=True)
    lines = PostfixLog(outage, PostfixOptions()).lines
    assert any("header Subject: to=<" in line.text for host in outage.hosts for line in lines[host])
    assert any('"first, last' in r.written for m in outage.messages for r in m.recipients)
    told = told_by_log(outage, PostfixOptions())
    assert by_mailbox(told, outage) == by_mailbox(story_of(outage), outage)


def test_what_was_never_tried_is_pending_and_only_the_queue_names_its_recipients() -> None:
    outage = small(cut_off="flood", unattempted=15)
    log = PostfixLog(outage, PostfixOptions())
    tried = {key for key, ends in told_by_log(outage, PostfixOptions()).items() if (None, "pending") in ends}
    pending = {(d.arrived_at, d.mailbox or d.address) for d in truth_deliveries(outage) if d.outcome == "pending"}
    never = {(m.arrived_at, r.final.lower()) for m in outage.messages[-15:] for r in m.recipients if r.is_local}
    assert not never & tried
    assert never <= pending
    listed = {r["address"].lower() for q in log.waiting.values() for e in q for r in e["recipients"]}  # type: ignore[attr-defined]
    assert {address for _, address in never} <= listed


def test_outcomes_sum_to_the_total_and_an_earlier_as_of_leaves_more_pending() -> None:
    outage = small()
    late, early = truth_outcomes(outage), truth_outcomes(outage, outage.window[0] + 20 * 3600)
    for outcomes in (late, early):
        assert outcomes["total"] == sum(v for k, v in outcomes.items() if k != "total")
    assert early["pending"] > late["pending"]
    assert early["total"] < late["total"]


def test_long_ids_are_what_postfix_writes() -> None:
    # Postfix 3.x: 2012-10-31 00:00:00 UTC is 3Xlh1w in base 52 of its safe alphabet, worked out by hand below.
    alphabet = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
    name = long_id(1351641600, 52, 51)
    assert name[10:] == "z10"
    assert name[6:10] == "0010"
    assert sum(alphabet.index(c) * 52 ** (5 - i) for i, c in enumerate(name[:6])) == 1351641600


def hand_made(recipients: list[Recipient], sender: str = "friend@remote.example.org") -> Outage:
    records = [
        Record("A1", "C1", "business", "ann@officemail.example", "ann@officemail.example", date(2020, 1, 1)),
        Record("A1", "C1", "business", "ann@officemail.example", "sales@officemail.example", date(2020, 1, 1)),
        Record("A2", "C1", "residential", "bob@officemail.example", "bob@officemail.example", date(2020, 1, 1)),
    ]
    message = Message(0, "mx1", "c[192.0.2.1]", sender, "1@example", 1000, NOON, recipients, [NOON])
    return Outage(
        1, "UTC", ("mx1",), ("officemail.example",), ("*@bulk.example",), records, [message], NOON, NOON + 86400,
        NOON + 86400, (NOON, NOON + 3600), (NOON - 3600, NOON), False, False, (900,),
    )  # fmt: skip


def counted(outage: Outage, segment: str = "all", count: str = "late", messages: str = "all") -> list[int]:
    units = ("delivery", "message", "address", "mailbox", "account", "customer")
    cells = truth_cells(outage)
    return [cells.get((unit, 900, messages, count, segment), -1) for unit in units]


def local(written: str, final: str, end: int | None, result: str = "sent") -> Recipient:
    return Recipient(written, final, True, written.lower() != final, None if end is None else NOON + end, result)


def test_late_begins_at_exactly_the_threshold() -> None:
    assert counted(hand_made([local("ann@officemail.example", "ann@officemail.example", 900)])) == [1] * 6
    assert counted(hand_made([local("ann@officemail.example", "ann@officemail.example", 899)])) == [0] * 6


def test_an_alias_and_its_mailbox_are_one_delivery() -> None:
    both = [
        local("Sales@Officemail.example", "ann@officemail.example", 1000),
        local("ann@officemail.example", "ann@officemail.example", 1000),
    ]
    outage = hand_made(both)
    assert counted(outage) == [1] * 6
    assert [d.address for d in truth_deliveries(outage)] == ["ann@officemail.example"]


def test_a_message_to_both_segments_counts_in_each_and_once_in_all() -> None:
    outage = hand_made(
        [
            local("ann@officemail.example", "ann@officemail.example", 1000),
            local("bob@officemail.example", "bob@officemail.example", 1000),
            local("ghost@officemail.example", "ghost@officemail.example", 1000),
            Recipient("x@remote.example.org", "x@remote.example.org", False, end=NOON + 9000, result="sent"),
        ]
    )
    assert counted(outage) == [3, 1, 3, 2, 2, 1]
    assert counted(outage, "business") == counted(outage, "residential") == [1] * 6
    assert counted(outage, "unmatched") == [1, 1, 1, -1, -1, -1]


def test_pending_is_late_lost_is_not_and_an_unknown_mailbox_is_neither() -> None:
    ann = "ann@officemail.example"
    assert counted(hand_made([local(ann, ann, None, "waiting")])) == [1] * 6
    assert counted(hand_made([local(ann, ann, 5000, "deleted")])) == [0] * 6
    assert counted(hand_made([local(ann, ann, 10, "refused")]), count="late_or_lost") == [1] * 6
    assert counted(hand_made([local(ann, ann, 5000, "unknown")]), count="late_or_lost") == [0] * 6


def test_bulk_is_left_out_only_where_it_is_asked_for() -> None:
    outage = hand_made([local("ann@officemail.example", "ann@officemail.example", 1000)], sender="News-1@Bulk.example")
    assert counted(outage) == [1] * 6
    assert counted(outage, messages="excluding_bulk") == [0] * 6

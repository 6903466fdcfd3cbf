"""Every way to write an outage down: what each server says, how it is stamped, and how its files begin."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from tests.simulate.exchange import ExchangeLog, ExchangeOptions
from tests.simulate.exchange_rows import exchange_header, exchange_noise, spell_exchange
from tests.simulate.exim import EximLog, EximOptions
from tests.simulate.exim_spelling import exim_noise, spell_exim
from tests.simulate.line import Line
from tests.simulate.noise import noise
from tests.simulate.outage import Outage
from tests.simulate.postfix import PostfixLog
from tests.simulate.postfix_queue import PostfixOptions
from tests.simulate.sendmail import SendmailLog, SendmailOptions, sendmail_noise
from tests.simulate.syslog import Spelling, spell

POSTFIX: tuple[Spelling, ...] = ("rfc3164", "rfc3339", "rfc5424", "rfc5424-bare", "journald", "postlogd")
EXIM = {
    "exim": EximOptions(),
    "exim-zone": EximOptions(new_ids=True, with_zone=True, with_pid=True, with_millis=True),
    "exim-local": EximOptions(is_local_store=True, names_recipients=False),
    "exim-local-named": EximOptions(is_local_store=True),
}
SENDMAIL = {
    "sendmail": SendmailOptions(),
    "sendmail-local": SendmailOptions(aliases_by="file", is_local_store=True),
}
DIALECTS = (*(f"postfix-{name}" for name in POSTFIX), *EXIM, *SENDMAIL, "exchange")
Damage = Callable[[str, list[Line]], list[Line]]
YEARLESS = ("rfc3164", "postlogd")


@dataclass
class Written:
    """An outage in one dialect, by host: its lines in order of time, as data and as text.

    `header` gives what opens a file that begins at a stamp; `waiting` what `postqueue -j` would list (Postfix only).
    """

    name: str
    said: dict[str, list[Line]]
    texts: dict[str, list[str]]
    newline: str = "\n"
    header: Callable[[str, float], str] | None = None
    waiting: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    is_yearless: bool = False

    def stamped(self, host: str) -> Iterator[tuple[float, str]]:
        """Yield a host's lines with their stamps."""
        return ((line.at, text) for line, text in zip(self.said[host], self.texts[host], strict=True))


def write_down(
    outage: Outage,
    dialect: str,
    *,
    hosts: Sequence[str] = (),
    zone: str = "UTC",
    long_ids: bool = False,
    with_noise: bool = True,
    postfix: PostfixOptions | None = None,
    damage: Sequence[Damage] = (),
) -> Written:
    """Return the outage as `dialect` would have logged it.

    `hosts` limits it to some hosts; `zone` is that of local stamps; `damage` spoils each host's sorted lines before
    they are stamped.
    """
    finish = partial(_finish, hosts or outage.hosts, damage=damage, with_noise=with_noise)
    if dialect.startswith("postfix-"):
        options = postfix or PostfixOptions()
        log = PostfixLog(outage, replace(options, long_ids=long_ids or options.long_ids))
        spelling: Spelling = dialect.removeprefix("postfix-")  # type: ignore[assignment]
        said = finish(log.lines, lambda host: noise(outage, host, options.syslog_name))
        texts = {host: list(spell(lines, host, spelling, zone)) for host, lines in said.items()}
        return Written("mail.log", said, texts, waiting=log.waiting, is_yearless=spelling in YEARLESS)
    if dialect in EXIM:
        said = finish(EximLog(outage, EXIM[dialect]).lines, lambda host: exim_noise(outage, host))
        texts = {host: spell_exim(lines, zone, EXIM[dialect]) for host, lines in said.items()}
        return Written("mainlog", said, texts)
    if dialect in SENDMAIL:
        spoken = SendmailLog(outage, SENDMAIL[dialect]).lines
        said = finish(spoken, lambda host: sendmail_noise(outage, host))
        texts = {host: list(spell(lines, host, "rfc3164", zone)) for host, lines in said.items()}
        return Written("maillog", said, texts, is_yearless=True)
    if dialect == "exchange":
        rows = ExchangeLog(outage, ExchangeOptions(hosts=tuple(hosts))).lines
        said = finish(rows, lambda host: exchange_noise(outage, host))
        texts = {host: spell_exchange(lines) for host, lines in said.items()}
        return Written(
            "MSGTRK2030-1.LOG", said, texts, "\r\n", lambda host, at: exchange_header(outage.hosts.index(host), at)
        )
    raise ValueError(f"no dialect {dialect!r}; there are {', '.join(DIALECTS)}")


def _finish(
    hosts: Sequence[str],
    lines: dict[str, list[Line]],
    other: Callable[[str], list[Line]],
    *,
    damage: Sequence[Damage],
    with_noise: bool,
) -> dict[str, list[Line]]:
    finished: dict[str, list[Line]] = {}
    for host in hosts:
        said = sorted(lines[host] + (other(host) if with_noise else []), key=lambda line: line.at)
        for spoil in damage:
            said = spoil(host, said)
        finished[host] = said
    return finished

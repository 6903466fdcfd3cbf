"""Which mail server wrote a log file, seen from a sample of its lines.

The envelope is what has to be known before reading: `syslog` (Postfix, Sendmail and Exim may share one file, each
grammar reads the services that it owns), `exim` (its own main log) or `exchange` (message tracking CSV). It is the
one with most lines of a mail server. A file without any has no mail in it, and says so; its envelope is then the one
whose stamp most of its lines bear. The counts say which servers were seen, so that a report can name them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from transforms.exim_envelope import MESSAGE_ID

DIALECTS = ("postfix", "sendmail", "exim", "exchange")
_SYSLOG_STAMP = (
    r"(?:[A-Z][a-z]{2} [ 0-3]?[0-9] [0-9:]{8}(?:\.[0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[^ ]*"
    r"|1 [0-9]{4}-[0-9]{2}-[0-9]{2}T[^ ]+)"
)
_SYSLOG_HEAD = rf"^(?:<[0-9]+>)?{_SYSLOG_STAMP} (?:<[^ >]*> )?[^ ]+ "
_POSTFIX = (
    r"(?:[^ \[]*postfix[^ \[]*"
    r"|[^ \[]+/(?:smtpd?|qmgr|cleanup|local|pipe|virtual|lmtp|bounce|pickup|postscreen|anvil|error))"
)
_SENDMAIL = r"(?:sendmail|sm-[a-z-]+)"
# Exim main log: its stamp has a space where RFC 3339 has a T, and what follows is a message id or Exim's own words.
_EXIM_STAMP = r"^(?:[^ 0-9#][^ ]* exim[^ ]*: )?[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}(?:\.[0-9]+)?(?: [+-][0-9]{4})?"
_EXIM_WORDS = (
    r"H=|U=|F=|exim |(?:Start|End) queue run|SMTP |TLS |no host name found|no IP address found"
    r"|[^ ]* ?authenticator failed|rejected |temporarily rejected |Connection from |unexpected disconnection"
    r"|no MAIL in |cwd=|[^ ]+ exim[^ ]*\["
)
_EXCHANGE_STAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z?"
_EXCHANGE_EVENT = (
    r",\"?(?:RECEIVE|DELIVER|SEND|SENDEXTERNAL|SUBMIT|FAIL|DSN|EXPAND|RESOLVE|TRANSFER|DEFER|HA[A-Z]+|AGENTINFO"
    r"|NOTIFYMAPI)\"?,"
)
_JOURNAL = r'"(?:SYSLOG_IDENTIFIER|_COMM)" ?: ?"'
PATTERNS = {
    ("syslog", "postfix"): rf"{_SYSLOG_HEAD}{_POSTFIX}(?:\[[0-9]+\])?(?:: | [0-9-]+ )|^\{{.*{_JOURNAL}{_POSTFIX}\"",
    ("syslog", "sendmail"): rf"{_SYSLOG_HEAD}{_SENDMAIL}(?:\[[0-9]+\])?(?:: | [0-9-]+ )|^\{{.*{_JOURNAL}{_SENDMAIL}\"",
    ("syslog", "exim"): rf"{_SYSLOG_HEAD}exim[^ \[]*(?:\[[0-9]+\])?(?:: | [0-9-]+ )|^\{{.*{_JOURNAL}exim[^\"]*\"",
    ("exim", "exim"): rf"{_EXIM_STAMP} (?:\[[0-9]+\] )?(?:{MESSAGE_ID} |{_EXIM_WORDS})",
    ("exchange", "exchange"): rf"^\x{{FEFF}}?#Fields:.*\bevent-id\b|{_EXCHANGE_STAMP}(?:,.*)?{_EXCHANGE_EVENT}",
}


# What the lines of a file without mail look like.
STAMPS = {"syslog": _SYSLOG_HEAD, "exim": _EXIM_STAMP, "exchange": f"{_EXCHANGE_STAMP},"}


@dataclass(frozen=True)
class Detection:
    """What a sample shows: the envelope (`syslog`, `exim`, `exchange`) and the lines of each dialect's server."""

    envelope: str
    counts: Mapping[str, int]

    @property
    def has_mail(self) -> bool:
        """Say whether any line belongs to a mail server."""
        return any(self.counts.values())

    @property
    def dialects(self) -> tuple[str, ...]:
        """Dialects that were seen, most lines first."""
        return tuple(
            sorted((name for name, lines in self.counts.items() if lines), key=lambda name: -self.counts[name])
        )


def detect(sample: pl.Series) -> Detection:
    """Say what wrote the lines of `sample` (String): a file's first lines and some from further on."""
    lines = sample.cast(pl.String).drop_nulls()
    seen = {key: int(lines.str.contains(pattern).sum()) for key, pattern in PATTERNS.items()}
    by_envelope = dict.fromkeys(STAMPS, 0)
    for (envelope, _), count in seen.items():
        by_envelope[envelope] += count
    if not any(by_envelope.values()):
        by_envelope = {envelope: int(lines.str.contains(pattern).sum()) for envelope, pattern in STAMPS.items()}
    best = max(by_envelope, key=lambda name: by_envelope[name])
    counts = {dialect: seen.get((best, dialect), 0) for dialect in DIALECTS}
    return Detection(best, MappingProxyType(counts))

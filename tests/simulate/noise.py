"""What else stands in a mail log: clients that bring no mail, refusals, statistics, dovecot, cron."""

import numpy as np

from tests.simulate.line import Line
from tests.simulate.outage import Outage, instant

STRANGER = "unknown[203.0.113.77]"
POSTFIX_NOISE = (
    ("anvil", "statistics: max connection rate 4/60s for (smtp:203.0.113.77) at {day}"),
    ("anvil", "statistics: max connection count 2 for (smtp:203.0.113.77) at {day}"),
    ("scache", "statistics: domain lookup hits=40 miss=3 success=93%"),
    ("smtpd", "warning: hostname host77.example.net does not resolve to address 203.0.113.77"),
    ("smtpd", f"lost connection after AUTH from {STRANGER}"),
    ("smtpd", f"warning: {STRANGER}: SASL LOGIN authentication failed: UGFzc3dvcmQ6"),
    ("smtpd", f"timeout after END-OF-MESSAGE from {STRANGER}"),
    ("smtpd", f"SSL_accept error from {STRANGER}: -1"),
    ("smtpd", f"disconnect from {STRANGER} ehlo=1 auth=0/1 quit=1 commands=2/3"),
    (
        "smtpd",
        f"NOQUEUE: reject: RCPT from {STRANGER}: 554 5.7.1 <x@elsewhere.example>: Relay access denied;"
        " from=<spam@elsewhere.example> to=<x@elsewhere.example> proto=ESMTP helo=<status=sent (250 ok)>",
    ),
    ("smtp", "Untrusted TLS connection established to mx.remote1.example.org[203.0.113.1]:25: TLSv1.3 with cipher X"),
    ("smtp", "connect to mx.remote2.example.org[203.0.113.2]:25: Connection timed out"),
)
OTHER_NOISE = (
    (
        "dovecot",
        640,
        "imap-login: Login: user=<someone>, method=PLAIN, rip=203.0.113.5, lip=198.51.100.2, mpid=811, TLS",
    ),
    ("dovecot", 640, "imap(someone)<811><abc>: Disconnected: Logged out in=43 out=770 deleted=0 expunged=0"),
    ("CRON", 9021, "(root) CMD (test -x /usr/sbin/anacron || run-parts --report /etc/cron.hourly)"),
    (
        "postgrey",
        512,
        "action=pass, reason=client whitelist, client_name=mx.remote1.example.org, client_address=203.0.113.1",
    ),
)


def noise(outage: Outage, host: str, syslog_name: str = "postfix", every: int = 300) -> list[Line]:
    """Return lines that state no fact about mail, about one in `every` seconds, the last of them at `log_end`.

    No line names a local address.
    """
    rng = np.random.default_rng([outage.seed, 8, outage.hosts.index(host)])
    times = seconds_of_noise(outage, host, every)
    lines: list[Line] = []
    for place, at in enumerate(times):
        if rng.random() < 0.4:
            service, pid, text = OTHER_NOISE[place % len(OTHER_NOISE)]
        else:
            program, words = POSTFIX_NOISE[place % len(POSTFIX_NOISE)]
            service, pid = f"{syslog_name}/{program}", 30_000 + place % 500
            text = words.format(day=instant(at).strftime("%b %d %H:%M:%S"))
        lines.append(Line(at + 0.5, service, pid, text))
    lines.append(Line(float(outage.log_end), "CRON", 9999, "(root) CMD (/usr/local/bin/end-of-log)"))
    return lines


def seconds_of_noise(outage: Outage, host: str, every: int) -> list[int]:
    """Return sorted instants, one in `every` seconds on average, over the whole log of a host."""
    rng = np.random.default_rng([outage.seed, 7, outage.hosts.index(host)])
    count = max(1, (outage.log_end - outage.start) // every)
    times: list[int] = np.sort(rng.integers(outage.start, outage.log_end, count)).tolist()
    return times

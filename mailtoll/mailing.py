"""The summary goes to those whom the incident file names, by Airflow's SMTP connections, once for each count.

The relays are asked in the order of the incident file; an alternate takes what those before it did not, as when the
first is the platform that failed. A relay that broke off while it took the mail may have it: the attempt ends there,
and the next one asks it last.
"""

import smtplib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mailtoll.incident_model import Mail
from mailtoll.mail_ledger import MailLedger, open_ledger
from mailtoll.run import Run
from mailtoll.vintage_store import vintage_of
from reports.mail import Envelope, summary_mail
from sources.errors import BadInput, MailWaits


def send_summary(run: Run, count: str) -> dict[str, Any]:
    """Send a count's summary to whoever has not had it; return to how many it went now, and to how many before.

    `MailWaits`: not all could be reached, and why; another try sends to those alone. `BadInput`: no such connection.
    """
    mail = run.incident.mail
    if mail is None:
        return {"sent": 0, "sent_before": 0}
    folder, vintage = vintage_of(run.warehouse, count)
    with open_ledger(run.warehouse.root / "mail", count, datetime.now(UTC)) as ledger:
        envelope = Envelope(mail.sender, mail.to, ledger.first_at)
        left = ledger.left(envelope.recipients)
        if left:
            files = {path.name: path.read_bytes() for path in folder.glob("summary*")}
            content = summary_mail(run.incident.title, vintage, files, envelope).as_bytes()
            troubles = _ask_relays(mail, ledger, envelope, content)
            if still := ledger.left(envelope.recipients):
                raise MailWaits(_said(run, len(still), len(envelope.recipients), ledger, troubles))
    return {"sent": len(left), "sent_before": len(envelope.recipients) - len(left)}


def _ask_relays(mail: Mail, ledger: MailLedger, envelope: Envelope, content: bytes) -> list[str]:
    """Ask relay after relay until everybody has the mail; return what went wrong, in words without an address."""
    troubles = []
    for relay in sorted((mail.connection, *mail.alternates), key=ledger.doubtful.count):
        left = ledger.left(envelope.recipients)
        if not left:
            break
        try:
            client = _connect(relay)
        except (OSError, smtplib.SMTPException) as error:
            troubles.append(f"{relay} can't be used ({_kind(error)})")
            continue
        ledger.asked(relay)
        try:
            accepted, refused = _hand_over(client, envelope.sender_address, left, content)
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            troubles.append(f"{relay} broke off and may have it ({_kind(error)})")
            break
        finally:
            client.close()
        ledger.answered(relay, accepted, refused, datetime.now(UTC))
        if refused:
            troubles.append(f"{relay} refused {len(refused)}")
    return troubles


def _connect(relay: str) -> smtplib.SMTP:
    """Return an open session with the relay of an Airflow connection."""
    from airflow.exceptions import AirflowException  # seconds to import: only where something is sent
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    try:
        hook = SmtpHook(relay).get_conn()
    except AirflowException as error:
        if "not found" in str(error):
            raise BadInput(
                f"mail names the connection {relay!r}, which Airflow does not know; add it, or set AIRFLOW_CONN_"
                f"{relay.upper()} to smtp://user:password@host:port."
            ) from None
        raise smtplib.SMTPServerDisconnected(str(error)) from None
    client = hook._smtp_client  # what the hook itself can send has no text twin and no Message-ID
    if not isinstance(client, smtplib.SMTP):
        raise TypeError(f"Airflow's SMTP hook gave {type(client).__name__}, no SMTP session")
    return client


def _hand_over(
    client: smtplib.SMTP, sender: str, recipients: Sequence[str], content: bytes
) -> tuple[list[str], dict[str, str]]:
    """Return whom the relay took the mail for, and whom it refused with which reply code."""
    try:
        replies = client.sendmail(sender, list(recipients), content)
    except smtplib.SMTPRecipientsRefused as error:
        replies = error.recipients
    except smtplib.SMTPResponseException as error:  # to the sender or to the mail itself: nobody gets it
        return [], dict.fromkeys(recipients, str(error.smtp_code))
    refused = {recipient: str(reply[0]) for recipient, reply in replies.items()}
    return [recipient for recipient in recipients if recipient not in refused], refused


def _kind(error: Exception) -> str:
    code = getattr(error, "smtp_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__


def _said(run: Run, left: int, total: int, ledger: MailLedger, troubles: Sequence[str]) -> str:
    return (
        f"{run.incident.path}: the summary has not reached {left} of {total} recipients: {'; '.join(troubles)}."
        f" Try again later: it goes to those alone. {ledger.path} says who has it."
    )

"""The summary as a mail: plain text first, the page as its alternative with its pictures inside, the PDF attached.

Fit for any mailbox: seven bits on the wire, no line over 78, nothing fetched from elsewhere, marked as sent by a
machine so that nothing answers it. The Message-ID is made from the count and the recipients alone, so that a mail that
had to be sent again is the same mail.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses
from hashlib import sha256
from typing import Any, cast

from reports import words
from transforms.vintage import Vintage


@dataclass(frozen=True)
class Envelope:
    """From whom and to whom, as `Name <address>`, and when it was first tried."""

    sender: str
    to: Sequence[str]
    at: datetime

    @property
    def recipients(self) -> list[str]:
        """The bare addresses, each once, in their order."""
        return list(dict.fromkeys(_address(text).addr_spec for text in self.to))

    @property
    def sender_address(self) -> str:
        """The bare address of the sender."""
        return _address(self.sender).addr_spec


def summary_mail(title: str, vintage: Vintage, files: Mapping[str, bytes], envelope: Envelope) -> EmailMessage:
    """Return the mail of one count; `files` are its `summary.*` and `summary-*.png` by name."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(envelope.sender)
    mail["To"] = [_address(text) for text in envelope.to]
    mail["Subject"] = _subject(title, vintage)
    mail["Date"] = format_datetime(envelope.at)
    mail["Message-ID"] = message_id(files, envelope)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no absence notes back
    mail.set_content(files["summary.txt"].decode(), cte="quoted-printable")
    pictures = {name: content for name, content in sorted(files.items()) if name.endswith(".png")}
    mail.add_alternative(_with_cids(files["summary.html"].decode(), pictures), subtype="html", cte="quoted-printable")
    page = cast("list[EmailMessage]", mail.get_payload())[1]
    for name, content in pictures.items():
        page.add_related(content, "image", "png", cid=f"<{_cid(name)}>", filename=name, disposition="inline")
    mail.add_attachment(files["summary.pdf"], "application", "pdf", filename=f"summary-{vintage.number}.pdf")
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=_{number}_{_digest(files, envelope)}")  # `=_` is in no encoded part (RFC 2045, 6.7)
    return mail


def message_id(files: Mapping[str, bytes], envelope: Envelope) -> str:
    """Return the Message-ID: the same for the same count and recipients, whenever and by whichever relay it goes."""
    return f"<{_digest(files, envelope)}.mailtoll@{_address(envelope.sender).domain}>"


def _digest(files: Mapping[str, bytes], envelope: Envelope) -> str:
    said = b"\0".join([files["summary.txt"], *(r.encode() for r in sorted(envelope.recipients))])
    return sha256(said).hexdigest()[:32]


def _subject(title: str, vintage: Vintage) -> str:
    figure = f"{words.number(vintage.measured)} {words.units(vintage.headline.unit, vintage.measured)}"
    return f"{' '.join(title.split())}: {figure} ({vintage.status}, count {vintage.number})"


def _with_cids(page: str, pictures: Mapping[str, Any]) -> str:
    """Return the page with its pictures taken from inside the mail."""
    page = page.replace("img-src 'self' data:", "img-src cid: data:")
    for name in pictures:
        page = page.replace(f'src="{name}"', f'src="cid:{_cid(name)}"')
    return page


def _cid(name: str) -> str:
    return f"{name}@mailtoll.invalid"


def _address(text: str) -> Address:
    ((name, address),) = getaddresses([text])
    return Address(display_name=name, addr_spec=address)

"""What Postfix says of one attempt: its parts of the delay, DSN code, and the reply of the next hop."""

from tests.simulate.outage import Message, Recipient


def delays(delay: int, tries: int) -> str:
    """Return the logged delay and its parts; what was deferred has waited in part a, a first attempt in b."""
    if delay == 0:
        return "delay=0.06, delays=0.03/0.01/0.01/0.01"
    if tries > 1:
        return f"delay={delay}, delays={delay}/0.02/0.01/0.03"
    return f"delay={delay}, delays=0.05/{delay}/0.01/0.02"


def final(recipient: Recipient, to: str, address: str, relay: str, message: Message) -> tuple[str, str, str]:
    """Return DSN code, status and reply of the attempt that ends a delivery."""
    if recipient.result == "unknown":
        return (
            "5.1.1",
            "bounced",
            f"host {address} said: 550 5.1.1 <{to}> User doesn't exist: {to} (in reply to RCPT TO command)",
        )
    if recipient.result == "refused":
        return "5.7.1", "bounced", f"host {address} said: 550 5.7.1 Content rejected (in reply to end of DATA command)"
    if not recipient.is_local:
        return (
            "2.0.0",
            "sent",
            f"250 2.0.0 Ok: queued as {message.number * 7919 % 0xFFFFF:05X}3F{message.number % 0xFFF:03X}",
        )
    if relay == "virtual":
        return "2.0.0", "sent", "delivered to maildir"
    return "2.0.0", "sent", f"250 2.0.0 <{to}> eH{message.number:06d}Yw Saved"


def deferral(recipient: Recipient, to: str, address: str, relay: str) -> tuple[str, str, str]:
    """Return relay, DSN code and reply of an attempt that did not."""
    if recipient.reason == "full":
        said = "452 4.2.2 Mailbox full" if relay != "virtual" else "mailbox is full"
        return relay, "4.2.2", f"host {address} said: {said} (in reply to RCPT TO command)"
    if recipient.reason == "greylisted":
        said = f"450 4.7.1 <{to}>: Recipient address rejected: Greylisted, see http://postgrey.example/help"
        return relay, "4.7.1", f"host {address} said: {said} (in reply to RCPT TO command)"
    return relay, "4.4.2", f"conversation with {address} timed out while sending RCPT TO"

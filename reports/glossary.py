"""The words of the report and what they mean: shown in a list, and on each word's first use."""

GLOSSARY = {
    "delivery": "One message for one mailbox. What is counted rests on these.",
    "message": "One e-mail that the platform accepted, however many internal stations it passes.",
    "mailbox": "Where mail is stored. Several addresses may lead to one.",
    "account": "What is billed. It holds one or more mailboxes and belongs to one segment at a time.",
    "customer": "The person or firm behind one or more accounts.",
    "segment": "The kind of account, as the customer records say: business, residential, or another.",
    "delay": "Final outcome less first arrival on the platform, across every internal station and retry.",
    "late": "Delivered after at least the stated time, or still waiting after it.",
    "lost": "Accepted, then bounced, expired or deleted: never delivered.",
    "pending": "Still queued at the instant up to which the logs are complete.",
    "unresolved": "The log has its arrival and no end.",
    "unmatched": "A recipient in a local domain whom no customer record of the day knows.",
    "bulk": "Mail whose envelope sender matches a pattern declared in the incident file.",
    "window": "The time in which mail must first have arrived to be counted: its start is in it, its end is not.",
    "as of": "The instant up to which the logs are complete.",
    "lower bound": "What the logs prove.",
    "upper bound": "The lower bound and everything that might be: open mail that turns late, recipients nobody knows.",
    "ordinary time": "A window of the same length before the incident, counted by the same definition.",
    "excess": "What was measured less what an ordinary time has.",
    "definition": "A choice of unit, threshold, messages and outcomes, declared before anything was counted.",
}

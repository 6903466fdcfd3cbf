"""A sample at true scale, simulated: 60,000 mailboxes, four weeks, two days of promotions that flood the store.

    python -m lab.sample FOLDER [--mailboxes 60000]

writes the log (one file a day), the customer records, the incident file with its schemes for redress, and
`truth.json`, which holds what the simulation itself knows of the disputed figures. The same arguments give the same
bytes. No line of it is real.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import polars as pl

from lab.sample_log import write_logs
from lab.sample_people import customer_records
from lab.sample_traffic import DAYS, WINDOW, instant, messages

MAILBOXES = 60_000
_SEED = 20121031
_REDRESS = """\
# SIMULATED: three schemes that nobody offered.
currency: NZD
schemes:
  - {name: A flat sum, measure: late, tiers: [{from: 1, pay: 10}]}
  - {name: By days down, measure: days, each: 5, most: 50}
  - {name: By hours down, measure: hours, tiers: [{from: 1, pay: 2}, {from: 8, pay: 10}, {from: 24, pay: 25}]}
"""


def write_sample(folder: Path, mailboxes: int = MAILBOXES) -> dict[str, int]:
    """Write everything into `folder`; return the truth as `truth.json` has it."""
    rng = np.random.default_rng(_SEED)
    records = customer_records(mailboxes, rng)
    mail = _by_alias(messages(mailboxes, rng), records)
    folder.mkdir(parents=True, exist_ok=True)
    lines = write_logs(folder / "logs", mail)
    records.write_csv(folder / "customers.csv")
    (folder / "incident.yaml").write_text(_incident(mailboxes), encoding="utf-8")
    (folder / "redress.yaml").write_text(_REDRESS, encoding="utf-8")
    truth = {"messages": len(mail), "lines": lines, **_truth(mail, records)}
    (folder / "truth.json").write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")
    return truth


def _by_alias(mail: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Let one in eight messages to a mailbox that has an alias be written to the alias."""
    aliases = records.filter(pl.col("address").str.starts_with("a"))["address"].str.extract(r"a(\d+)@").cast(pl.Int64)
    return mail.with_columns(is_by_alias=pl.col("mailbox").is_in(aliases.implode()) & (pl.col("number") % 8 == 0))


def _truth(mail: pl.DataFrame, records: pl.DataFrame) -> dict[str, int]:
    """Return how many mailboxes and accounts of the records had late mail, for each threshold and choice of mail."""
    start, end = ((instant(day) - instant(0)).total_seconds() for day in WINDOW)
    arrived = mail.filter(pl.col("seconds").is_between(start, end, closed="left"), pl.col("end") == "sent")
    owner = records.unique("mailbox").select(
        pl.col("mailbox").str.extract(r"m(\d+)@").cast(pl.Int64), account=pl.col("account_id")
    )
    found = {}
    for hours in (0.25, 1, 4, 8):
        for name, kind in (("all", pl.lit(value=True)), ("excluding_bulk", ~pl.col("is_bulk"))):
            late = arrived.filter(pl.col("wait") >= hours * 3600, kind).join(owner, on="mailbox")
            found[f"mailbox_{hours * 3600:.0f}_{name}"] = late["mailbox"].n_unique()
            found[f"account_{hours * 3600:.0f}_{name}"] = late["account"].n_unique()
    return found


def _incident(mailboxes: int) -> str:
    """Return the incident file; both claims are read as what a round figure can mean."""
    several, twenty = ([round(n * mailboxes / MAILBOXES) for n in claim] for claim in ((2000, 9999), (19500, 20499)))
    start, end = (f"{instant(day):%Y-%m-%dT%H:%M:%SZ}" for day in WINDOW)
    return f"""\
# SIMULATED by `make sample`: no platform, no customer and no claim in it is real.
id: officemail-sample
title: "Simulated: promotions flood a platform of {mailboxes:,} mailboxes"
timezone: Pacific/Auckland
logs:
  - {{uri: "logs/mail.log-*.zst", format: postfix}}
customers: {{uri: customers.csv}}
window: {{start: {start}, end: {end}}}
as_of: {instant(DAYS):%Y-%m-%dT%H:%M:%SZ}
baseline: {{start: {instant(0):%Y-%m-%dT%H:%M:%SZ}, end: {start}}}
local_domains: [officemail.example]
bulk_senders: ["*@mail.mailhouse.example"]
thresholds: [15m, 1h, 4h, 8h]
headline: {{unit: account, threshold: 1h, messages: excluding_bulk, count: late}}
claims:  # both as what a round figure can mean: 19,500 is rounded up to 20,000, and 20,499 down
  - {{who: Provider, said: several thousand users, low: {several[0]}, high: {several[1]}, unit: mailbox}}
  - {{who: Radio, said: "20,000 users", low: {twenty[0]}, high: {twenty[1]}, unit: mailbox}}
redress: redress.yaml
cause: A mailing house sent more promotions in two days than the mail store could take; other mail waited behind them.
"""


def main() -> None:
    """Write the sample as the command line says, and print what it holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mailboxes", type=int, default=MAILBOXES)
    given = parser.parse_args()
    for name, figure in write_sample(given.folder, given.mailboxes).items():
        print(f"  {name:<28} {figure:>12,}")


if __name__ == "__main__":
    main()

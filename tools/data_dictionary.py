"""Write docs/data-dictionary.md from the table declarations, or say that it is out of date.

    python -m tools.data_dictionary [--check]

`--check` writes nothing and exits 1 when the file differs from what the declarations say.
"""

import argparse
import sys
from pathlib import Path

from expectations.tables import TABLES
from reports.data_dictionary import dictionary

PROJECT = Path(__file__).resolve().parents[1]

DICTIONARY = PROJECT / "docs" / "data-dictionary.md"
HEAD = """# Data dictionary

Every table of a run, in flow order: what a row is, what identifies it, and its columns. Generated from
`expectations/tables` by `make dictionary`; edit the declarations, not this page. *Restricted* tables hold addresses
or accounts and stay inside; *public* ones do not.
"""


def main(arguments: list[str] | None = None) -> int:
    """Write the dictionary or check it; return the exit status."""
    parser = argparse.ArgumentParser(description="Write docs/data-dictionary.md from the table declarations.")
    parser.add_argument("--check", action="store_true", help="only say whether it is current")
    options = parser.parse_args(arguments)
    text = dictionary(TABLES, HEAD)
    if not options.check:
        DICTIONARY.write_text(text)
        return 0
    if DICTIONARY.exists() and DICTIONARY.read_text() == text:
        return 0
    print(
        f"{DICTIONARY.relative_to(PROJECT)} is not what expectations/tables says; run `make dictionary`.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())

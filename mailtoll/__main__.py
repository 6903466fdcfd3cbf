"""`python -m mailtoll` does what the `mailtoll` command does."""

import sys

from mailtoll.cli import main

sys.exit(main())

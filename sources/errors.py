"""Errors that a user can act on."""


class BadInput(Exception):
    """Something the user gave cannot be used; the message is one sentence that names it and the remedy.

    The command line prints the sentence and exits with status 2.
    """


class SourceAway(BadInput):
    """A server could not be reached, or went away while it was read: the one bad input that trying again may mend."""


class MailWaits(BadInput):
    """The summary did not reach all of its recipients; what is left may be sent by trying again."""

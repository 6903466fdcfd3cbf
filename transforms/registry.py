"""Which dialects there are: one line per envelope and per grammar. A new dialect adds its line here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from transforms.dialect import Envelope, Grammar, LogOptions
from transforms.exchange import ExchangeGrammar
from transforms.exchange_envelope import ExchangeEnvelope
from transforms.exim import EximGrammar
from transforms.exim_envelope import EximEnvelope
from transforms.postfix import PostfixGrammar
from transforms.sendmail import SendmailGrammar
from transforms.syslog import SyslogEnvelope

ENVELOPES: Mapping[str, Callable[[LogOptions], Envelope]] = MappingProxyType(
    {"syslog": SyslogEnvelope, "exim": EximEnvelope, "exchange": ExchangeEnvelope}
)
GRAMMARS: Mapping[str, Grammar] = MappingProxyType(
    {"postfix": PostfixGrammar(), "sendmail": SendmailGrammar(), "exim": EximGrammar(), "exchange": ExchangeGrammar()}
)

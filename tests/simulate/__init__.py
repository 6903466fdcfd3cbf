"""Simulated outages with known truth, for tests: written down in the spelling of any mail server."""

from tests.simulate.dialects import DIALECTS
from tests.simulate.incident import write_incident
from tests.simulate.outage import Message, Outage, Recipient, Record
from tests.simulate.postfix import PostfixOptions
from tests.simulate.simulate import simulate
from tests.simulate.truth import Delivery, truth_cells, truth_deliveries, truth_outcomes

__all__ = [
    "DIALECTS",
    "Delivery",
    "Message",
    "Outage",
    "PostfixOptions",
    "Recipient",
    "Record",
    "simulate",
    "truth_cells",
    "truth_deliveries",
    "truth_outcomes",
    "write_incident",
]

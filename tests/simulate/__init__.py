"""Simulated outages with known truth, for tests: written down in the spelling of any mail server."""

from tests.simulate.dialects import DIALECTS
from tests.simulate.incident import write_incident
from tests.simulate.outage import Message, Outage, Recipient, Record
from tests.simulate.postfix_queue import PostfixOptions
from tests.simulate.simulate import simulate
from tests.simulate.truth import Delivery, direction, truth_cells, truth_deliveries, truth_outcomes, truth_refusals

__all__ = [
    "DIALECTS",
    "Delivery",
    "Message",
    "Outage",
    "PostfixOptions",
    "Recipient",
    "Record",
    "direction",
    "simulate",
    "truth_cells",
    "truth_deliveries",
    "truth_outcomes",
    "truth_refusals",
    "write_incident",
]

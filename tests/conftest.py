"""What every room's tests may use: the project's folder and the recorded flood."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# hypothesis looks at every loaded module before it draws, and so loads those that Great Expectations left for their
# first use: a second that says nothing of the strategy whose turn it is.
settings.register_profile("house", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def demo_incident() -> Path:
    """The incident file of the recorded flood."""
    return PROJECT / "incidents" / "officemail-lab" / "incident.yaml"


@pytest.fixture(autouse=True)
def usual_garbage() -> Iterator[None]:
    """Let a command that a test ran in this process (`mailtoll.process`) not decide when others' garbage is found."""
    usual = gc.get_threshold()
    yield
    gc.set_threshold(*usual)

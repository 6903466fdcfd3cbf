"""What every room's tests may use: the project's folder and the recorded flood."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def demo_incident() -> Path:
    """The incident file of the recorded flood."""
    return PROJECT / "incidents" / "officemail-lab" / "incident.yaml"

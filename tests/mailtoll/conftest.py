"""The recorded flood with everything that goes out of a run, run once for all tests that look at it."""

import shutil
from pathlib import Path

import pytest

from mailtoll import steps

GOES_OUT = """site: site
annexes: true
cause: "A mailing house sent 12 offers at once."
next_update: 2026-11-25T08:00:00Z
mail: {connection: first, alternates: [second], from: "Störung <noreply@officemail.test>",
       to: ["Änne Ünal <aenne@example.com>", "Bo <bo@example.com>"]}
"""


@pytest.fixture(scope="session")
def gone_out(demo_incident: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `incident.yaml` and its data, its `run` up to the `site`; not to be changed."""
    folder = tmp_path_factory.mktemp("out") / "flood"
    shutil.copytree(demo_incident.parent, folder)
    with (folder / "incident.yaml").open("a", encoding="utf-8") as file:
        file.write(GOES_OUT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILTOLL_SECRET_OFFICEMAIL_LAB", "s" * 40)
        assert steps.run_incident(folder / "incident.yaml", folder / "run", lambda _: None).status == "published"
    return folder


@pytest.fixture(scope="session")
def count(gone_out: Path) -> str:
    """The name of its one count."""
    return next((gone_out / "run" / "vintages").iterdir()).name

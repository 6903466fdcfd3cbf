"""What happens to a count after it is published in its run's folder; the steps that go on where `steps` ends.

    publish → export → (approval, by a person in Airflow) → put_on_site → send

Each step names the count that it is about, so that what was approved is what goes out, whatever the run's folder holds
by then. Each may be repeated: what is done already is not done twice.
"""

from typing import Any

from mailtoll import exports
from mailtoll.manifest import recorded
from mailtoll.run import Run


@recorded
def export(incident: str, out: str) -> dict[str, str]:
    """Write the tables to take away and the care list; return the folders."""
    return exports.export(Run.of(incident, out))


def approvers(incident: str, out: str) -> list[str]:
    """Return who may approve the count, by their names in Airflow; nobody: it needs no approval."""
    asked = Run.of(incident, out).incident.approval
    return list(asked.by) if asked else []


@recorded
def put_on_site(incident: str, out: str, count: str) -> dict[str, str]:
    """Put a count's public page on the site and renew the index; return its folder, nothing where there is no site."""
    from mailtoll import site
    from mailtoll.vintage_store import vintage_of

    run = Run.of(incident, out)
    folder = run.incident.site_folder()
    if folder is None:
        return {}
    kept, _ = vintage_of(run.warehouse, count)
    return {"site": str(site.put_on_site(folder, run.incident.id, count, kept / exports.PUBLIC))}


@recorded
def send(incident: str, out: str, count: str) -> dict[str, Any]:
    """Mail a count's summary to the recipients of the incident file who have not had it; return how many those were."""
    from mailtoll.mailing import send_summary

    return send_summary(Run.of(incident, out), count)

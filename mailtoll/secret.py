"""An incident's secret, from the environment or from Airflow's connections: read when needed, never written.

`MAILTOLL_SECRET_<ID>` in the environment, else the password of the Airflow connection `mailtoll_secret_<id>`; the id in
letters, digits and underscores.
"""

import os
import re

from sources.errors import BadInput

SHORTEST = 32


def secret_of(incident_id: str, named_in: str) -> bytes:
    """Return the secret of an incident. `BadInput`: there is none, or it is too short to be one."""
    name = re.sub(r"[^A-Za-z0-9]", "_", incident_id)
    variable, connection = f"MAILTOLL_SECRET_{name.upper()}", f"mailtoll_secret_{name.lower()}"
    secret = os.environ.get(variable) or _password(connection)
    if len(secret) < SHORTEST:
        said = "is too short" if secret else "is missing"
        raise BadInput(
            f"{named_in} asks for annexes, and the secret for their keys {said}; set {variable}, or the password of "
            f"the Airflow connection {connection}, to at least {SHORTEST} random letters, and keep it as long as the "
            "annexes are used."
        )
    return secret.encode("utf-8")


def _password(connection: str) -> str:
    from airflow.sdk import Connection  # seconds to import: only where the environment holds no secret
    from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

    try:
        return str(Connection.get(connection).password or "")
    except (AirflowNotFoundException, AirflowRuntimeError):
        return ""

"""A policy file (YAML), read as a pydantic model; what will not do is said in one sentence."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from mailtoll.yaml_lines import read_yaml
from sources.errors import BadInput

Policy = TypeVar("Policy", bound=BaseModel)


def read_policy_file(path: Path, model: type[Policy]) -> Policy:
    """Return the policy of a file; `BadInput` names the line and the key that will not do."""
    document = read_yaml(path)
    try:
        return model.model_validate(document.values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "policy"
        words = str(first.get("ctx", {}).get("error", first["msg"]))
        raise BadInput(f"{path}, line {document.line_of(first['loc'])}: {place}: {words}.") from None

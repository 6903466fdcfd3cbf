"""YAML as the incident file uses it: every scalar stays the text that was written, and every key knows its line.

YAML's own guesses are left out on purpose: `NO` is a name, `2012-11` an id, `1:30` no number. Only an empty value, `~`
and `null` mean "nothing". One more thing is mended: inside `{…}` a comma ends a value, so that
`{said: 20,000 users, low: 20000}` would read as `said: 20` and a stray key `000 users`. A key without a colon that
follows a plain value is given back to that value, for the keys named in `joined`.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from sources.errors import BadInput

Plain = str | None | list["Plain"] | dict[str, "Plain"]
Key = tuple[str | int, ...]

# An incident file has some dozens of values; aliases of aliases can blow a small file up without end.
MOST_VALUES = 50_000
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass
class Document:
    """Values of a YAML file, and the line (from 1) on which each key's value stands."""

    values: Plain
    lines: dict[Key, int] = field(default_factory=dict)

    def line_of(self, key: Key) -> int:
        """Return the line of `key`, or of the closest key around it."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)


def read_yaml(path: Path, joined: Collection[str] = ()) -> Document:
    """Read a YAML file; `BadInput` names file, line and remedy where it is missing, unreadable or no YAML.

    `joined`: names of top-level keys under which a comma inside `{…}` may belong to a value.
    """
    text = _text_of(path)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise BadInput(_broken(path, error)) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise BadInput(f"{path} is not YAML ({str(error).splitlines()[0]}); write plain text in UTF-8.") from None
    if root is None:
        raise BadInput(f"{path} is empty; write the incident's keys into it, such as id, logs, window and headline.")
    document = Document(None)
    document.values = _Reader(path, text, frozenset(joined), document.lines).value(root, ())
    return document


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist; give the path of an incident file.") from None
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder; give the path of the incident file in it.") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text (byte {error.start + 1}); save it in UTF-8.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); give a readable incident file.") from None


def _broken(path: Path, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
    problem = (error.problem or error.context or "unreadable").replace("\n", " ")
    if "alias" in problem or "alias" in (error.context or ""):
        return f'{where}: a value that begins with * or & must be in quotes, such as "*@bulk.example.com".'
    if "\\t" in problem:
        return f"{where}: a tab cannot indent YAML; use spaces."
    return f"{where}: broken YAML ({problem}); correct this line or the one before it."


class _Reader:
    """Turns composed nodes into plain values and notes where they stand."""

    def __init__(self, path: Path, text: str, joined: frozenset[str], lines: dict[Key, int]) -> None:
        self._path, self._text, self._joined, self._lines = path, text, joined, lines
        self._values = 0

    def value(self, node: yaml.Node, key: Key) -> Plain:
        self._values += 1
        if self._values > MOST_VALUES or len(key) > 20:
            raise BadInput(f"{self._path} holds more than an incident file can; remove its YAML anchors and aliases.")
        self._lines.setdefault(key, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*key, i)) for i, item in enumerate(node.value)]
        is_plain = isinstance(node, yaml.ScalarNode) and node.style is None
        return None if is_plain and node.value in _NOTHING else str(node.value)

    def _mapping(self, node: yaml.MappingNode, key: Key) -> Plain:
        found: dict[str, Plain] = {}
        last: tuple[str, yaml.Node] | None = None  # the last plain value, to which a comma's right side may belong
        for name_node, value_node in node.value:
            if not isinstance(name_node, yaml.ScalarNode):
                raise BadInput(f"{self._path}, line {name_node.start_mark.line + 1}: a key must be a plain word.")
            name = str(name_node.value)
            if last and self._is_stray(node, key, name_node, value_node):
                found[last[0]] = self._text[last[1].start_mark.index : name_node.end_mark.index]
                continue
            if name in found:
                raise BadInput(
                    f"{self._path}, line {name_node.start_mark.line + 1}: key {name!r} stands twice; keep one."
                )
            self._lines[(*key, name)] = name_node.start_mark.line + 1
            found[name] = self.value(value_node, (*key, name))
            is_plain = isinstance(value_node, yaml.ScalarNode) and value_node.style is None and bool(value_node.value)
            last = (name, value_node) if is_plain else None
        return found

    def _is_stray(self, node: yaml.MappingNode, key: Key, name: yaml.ScalarNode, value: yaml.Node) -> bool:
        """Say whether `name` is the right side of a comma: in `{…}`, unquoted, with neither colon nor value."""
        return (
            bool(node.flow_style)
            and bool(key)
            and key[0] in self._joined
            and name.style is None
            and isinstance(value, yaml.ScalarNode)
            and not value.value
            and ":" not in self._text[name.end_mark.index : value.start_mark.index]
        )

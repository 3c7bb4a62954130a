"""Words the manifest of an imported agent, with what ACC says of each schedule beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.manifests.yaml_values import YAMLValue, comment_text, quoted, value_text
from reconciler.workflow.importing.live_blocks import PARAMETERS, LiveAgent, LiveBlock

_LONGEST_KEY = 100
_PLAIN = ("every", "startTime", "logLevel")
_SECRET_ADVICE = "Looks like a secret: better `${env:NAME}`, so that it is neither shown nor kept in Git."  # noqa: S105
_REMARKED = ("id", "cron", "every", "startTime", "timeZone", PARAMETERS, "logLevel", "sessionId", "windowless")

_HEAD = """\
apiVersion: reconciler/v1
kind: Agent
metadata:
  name: {name}
spec:
  path: {path}
  # ACC does not show whether the agent is approved, nor its input files. Declare them to manage them:
  # approval: {{state: approved}}
  # inputFiles:
  #   - file: data/input.csv
"""


def agent_text(agent: LiveAgent) -> str:
    """The document of one agent."""
    head = _HEAD.format(name=name_text(agent.handle), path=value_text(agent.path))
    lines = [*_left(agent)]
    for block in agent.blocks:
        lines += item_lines(block)
    listed = "".join(f"    {line}\n" for line in lines)
    return f"{head}  schedules:{'' if agent.blocks else ' []'}\n{listed}"


def name_text(handle: str) -> str:
    """A handle as YAML; one of digits alone would be a number."""
    is_plain = handle[0].isalpha() and handle not in ("true", "false", "null")
    return handle if is_plain else quoted(handle)


def _left(agent: LiveAgent) -> Iterator[str]:
    for identity, why in agent.left:
        yield f"# The schedule {comment_text(identity)} is left as it is, unmanaged:"
        yield f"# {comment_text(why)}"


def item_lines(block: LiveBlock) -> Iterator[str]:
    """The block as an item of a list, its dash included."""
    first, *rest = block_lines(block)
    yield f"- {first}"
    yield from (f"  {line}" for line in rest)


def block_lines(block: LiveBlock) -> Iterator[str]:
    """The block line by line, without indentation."""
    yield f"name: {name_text(block.name)}"
    remarks = dict.fromkeys((key for key, _ in block.remarks), True)
    for key in ("id", *block.values):
        for place in _REMARKED[: _REMARKED.index(key) + 1] if key in _REMARKED else _REMARKED:
            if remarks.pop(place, None):
                yield from _comments(block, place)
        yield from [f"id: {block.identity}"] if key == "id" else _entry(block, key, block.values[key])
    for place in remarks:
        yield from _comments(block, place)


def _comments(block: LiveBlock, place: str) -> Iterable[str]:
    return (f"# {text}" for key, text in block.remarks if key == place)


def _entry(block: LiveBlock, key: str, value: YAMLValue) -> Iterator[str]:
    if isinstance(value, bool):
        yield f"{key}: {str(value).lower()}"
    elif not isinstance(value, dict):
        yield f"{key}: {value if key in _PLAIN else value_text(value)}"
    else:
        yield f"{key}:"
        for inner, text in value.items():
            if inner in block.secret_like:
                yield f"  # {_SECRET_ADVICE}"
            if len(inner) > _LONGEST_KEY:
                yield f"  ? {quoted(inner)}"
                yield f"  : {value_text(text)}"
            else:
                yield f"  {quoted(inner)}: {value_text(text)}"

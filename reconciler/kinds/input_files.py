"""The kind `input-files`: the files that an ACC agent reads. ACC takes them and never shows them again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from reconciler import files
from reconciler.diff import Sealer
from reconciler.errors import Refused
from reconciler.model import Action, Change, Entry, FieldChange, Intent, Reason, Resource, State

if TYPE_CHECKING:
    from reconciler.clients.uploads import InputFile

RUN_DELETES = "runDeletes"
"""The fact that a run was started which deletes the files when it is done: until they are sent again, they may go."""
_CHUNK = 1 << 20


def desired_state(spec: State, seal: Sealer) -> State:
    """What the agent should hold: per file its keyed digest, bytes and lines; `enabled` None where nothing is declared.

    Files are read in pieces, so memory does not grow with their size. Raises OSError when one cannot be read, or is
    larger than an input file may be.
    """
    return {
        "files": {file["name"]: measure(Path(file["file"]), file["name"], seal) for file in spec.get("files", ())},
        "enabled": spec.get("enabled"),
        "exclusive": bool(spec.get("exclusive")),
    }


def measure(path: Path, name: str, seal: Sealer) -> dict[str, Any]:
    """A file's keyed digest, its bytes and its lines. Raises OSError."""
    content, size, lines, last = hashlib.sha256(), 0, 0, b"\n"
    with files.open_regular(path) as file:
        while piece := file.read(_CHUNK):
            content.update(piece)
            size += len(piece)
            if size > files.INPUT_FILE_BYTES:
                raise files.too_large(path, files.INPUT_FILE_BYTES)
            lines += piece.count(b"\n")
            last = piece[-1:]
    return {"digest": seal([name, content.hexdigest()]), "bytes": size, "lines": lines + (last != b"\n")}


def declared(state: State, seal: Sealer) -> str:
    """The keyed digest of what is wanted, for recognising it later."""
    files = {name: file["digest"] for name, file in state["files"].items()}
    return seal([files, state["enabled"], state["exclusive"]])


def diff(entry: Entry | None, desired: State) -> tuple[FieldChange, ...]:
    """The files that were added, changed or removed since they were last sent, in words that hold no content."""
    facts: Mapping[str, Any] = entry.facts if entry is not None else {}
    if desired["enabled"] is False:
        was_off = entry is not None and facts.get("enabled") is False
        return () if was_off else (FieldChange("enabled", before=None if entry is None else True, after=False),)
    found: list[FieldChange] = []
    if desired["enabled"] and facts.get("enabled") is False:
        found.append(FieldChange("enabled", before=False, after=True))
    if desired["exclusive"] and not facts.get("exclusive"):
        found.append(FieldChange("exclusive", before=None if entry is None else False, after=True))
    before, after = _remembered(entry), desired["files"]
    for name in sorted({*before, *after}):
        if before.get(name, {}).get("digest") != after.get(name, {}).get("digest"):
            found.append(FieldChange(f"files.{name}", _words(name, before.get(name)), _words(name, after.get(name))))
    return tuple(found)


def _remembered(entry: Entry | None) -> dict[str, dict[str, Any]]:
    if entry is None:
        return {}
    sizes = entry.facts.get("files", {})
    return {
        field.removeprefix("files."): {"digest": value, **sizes.get(field.removeprefix("files."), {})}
        for field, value in entry.applied.items()
        if field.startswith("files.")
    }


def _words(name: str, file: Mapping[str, Any] | None) -> str | None:
    if file is None:
        return None
    if "lines" not in file:
        return "known by its digest alone"
    size = _counted(file["bytes"], "byte")
    return size if name.lower().endswith(".zip") else f"{_counted(file['lines'], 'line')}, {size}"


def _counted(number: int, word: str) -> str:
    """`1 line`, `12 000 lines`: thousands apart by a space, which is no decimal sign anywhere."""
    return f"{number:,} {word}{'' if number == 1 else 's'}".replace(",", " ")


def intent(entry: Entry | None, desired: State, fields: tuple[FieldChange, ...], *, again: bool = False) -> Intent:
    """What to do: disable all, replace the set, send what changed, or forget what was removed.

    After an interruption nothing remembered can be relied on: everything is sent again, as when somebody asks for it
    (`again`).
    """
    if desired["enabled"] is False:
        message = "all input files of the agent are disabled; declaring `inputFilesEnabled: true` sends them again"
        return Intent(Action.DISABLE, message=message, after={**desired, "send": [], "replace": False}, fields=fields)
    interrupted = again or (entry is not None and not entry.settled)
    changed = {field.path for field in fields}
    removed = sorted(_remembered(entry).keys() - desired["files"].keys())
    replaced = desired["exclusive"] and bool(removed or interrupted or "exclusive" in changed)
    everything = replaced or interrupted or "enabled" in changed
    send = [name for name in desired["files"] if everything or f"files.{name}" in changed]
    idle = replaced or needs_idle_agent(entry)
    after = {**desired, "send": sorted(send), "replace": replaced, "idle": idle}
    stays = () if desired["exclusive"] else tuple(("stays-on-server", _STAYS.format(name=name)) for name in removed)
    if not send and not replaced:
        message = "no longer declared: removed from the ledger; ACC is left as it is"
        return Intent(Action.FORGET, Reason.REMOVED, message, after=after, fields=fields, warnings=stays)
    if replaced:
        message = f"the whole set is replaced: all input files of the agent are deleted, then {len(send)} sent"
    else:
        message = f"{len(send)} file(s) to send"
    return Intent(Action.UPLOAD, message=message, after=after, fields=fields, warnings=stays, needs_idle_agent=idle)


def needs_idle_agent(entry: Entry | None) -> bool:
    """Whether a run that is active may take away what is sent now."""
    return entry is not None and bool(entry.facts.get(RUN_DELETES))


_STAYS = (
    "{name} is no longer declared, and stays on the server: ACC has no call that removes one file. "
    "`inputFilesExclusive: true` replaces the whole set"
)


def applied(state: State) -> dict[str, str]:
    """The digests that the ledger keeps of a set that was sent."""
    return {f"files.{name}": file["digest"] for name, file in state["files"].items()}


def facts(state: State, entry: Entry | None) -> dict[str, Any]:
    """What the ledger keeps beside the digests: sizes, and the switches as they were last sent."""
    sent_all = len(state.get("send", ())) == len(state["files"])
    before = entry.facts.get("enabled") if entry is not None and not sent_all else None
    return {
        "files": {
            name: {"bytes": file["bytes"], "lines": file["lines"]} for name, file in sorted(state["files"].items())
        },
        "enabled": state["enabled"] if state["enabled"] is not None else before,
        "exclusive": state["exclusive"],
    }


class InputWriter(Protocol):
    """The calls of the ACC client that this kind needs."""

    def put_input_csv(self, agent_id: str, file: InputFile) -> None: ...
    def upload_input_files(self, agent_id: str, files: Sequence[InputFile]) -> None: ...
    def delete_input_files(self, agent_id: str) -> None: ...
    def disable_input_files(self, agent_id: str) -> None: ...


def act(acc: InputWriter, change: Change, resource: Resource, seal: Sealer, is_busy: Callable[[str], bool]) -> None:
    """Send one change. Raises Refused when nothing happened, Uncertain when perhaps it did.

    `is_busy` says whether an agent has an active run. Every file is measured again right before it leaves, so that
    only what the plan showed is sent.
    """
    assert change.after is not None
    if change.action is Action.DISABLE:
        acc.disable_input_files(change.agent_id)
        return
    paths = {file["name"]: Path(file["file"]) for file in resource.spec.get("files", ())}
    for name in change.after["send"]:
        if measure(paths[name], name, seal)["digest"] != change.after["files"][name]["digest"]:
            raise Refused(f"{name} changed on disk after the plan was made", hint="plan again")
    if change.after["idle"] and is_busy(change.agent_id):
        raise Refused("a run of this agent is active; its input files are not sent now", hint="apply again later")
    if change.after["replace"]:
        acc.delete_input_files(change.agent_id)
    from reconciler.clients.uploads import InputFile

    for name in change.after["send"]:
        file = InputFile(name, paths[name])
        if name.lower().endswith(".csv"):
            acc.put_input_csv(change.agent_id, file)
        else:
            acc.upload_input_files(change.agent_id, [file])

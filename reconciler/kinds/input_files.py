"""The kind `input-files`: the files that an ACC agent reads. ACC takes them and never shows them again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler import files
from reconciler.causes import Cause, because
from reconciler.diff import Sealer
from reconciler.errors import Refused
from reconciler.kind import AttestedKind, AttestedMemo, Decision, Need, Product, Sending
from reconciler.model.address import AddressForm
from reconciler.model.copies import replace
from reconciler.model.entry import Entry, always
from reconciler.model.plan import Action, Change, FieldChange, Reason
from reconciler.model.resource import Resource
from reconciler.model.state import JSON, Beside, State
from reconciler.quantities import counted

if TYPE_CHECKING:
    from reconciler.clients.acc import AccClient

_CHUNK = 1 << 20


class FileSize(Struct, frozen=True):
    """How large a file was when it was sent."""

    bytes: int
    lines: int

    def __str__(self) -> str:
        return f"{counted(self.lines, 'line')}, {counted(self.bytes, 'byte')}"


class Place(Beside, frozen=True, eq=False):
    """Where a file lies on this machine."""

    path: Path


class DeclaredFile(Struct, frozen=True):
    """One file of the set: where it lies, and once it was measured its keyed digest and its size."""

    place: Place
    digest: str = ""
    size: FileSize | None = None


class InputFilesState(State, frozen=True):
    """What the agent should hold: files by name; `enabled` None where nothing is declared of it.

    A planned upload also says which files to `send`, whether the set is to `replace` what is there, and whether the
    agent has to be `idle`.
    """

    files: Mapping[str, DeclaredFile] = {}
    enabled: bool | None = None
    exclusive: bool = False
    send: tuple[str, ...] = ()
    replace: bool = False
    idle: bool = False


class InputFilesMemo(AttestedMemo, frozen=True):
    """What the ledger keeps beside the digests: sizes, and the switches as they were last sent.

    `run_deletes`: a run was started that deletes the files when it is done; until they are sent again, they may go.
    """

    sizes: Mapping[str, FileSize] = always({}, name="files")
    enabled: bool | None = always(None)
    exclusive: bool = always(default=False)
    run_deletes: bool = False

    @property
    def is_enabled(self) -> bool | None:
        return self.enabled


def measure(path: Path, name: str, seal: Sealer) -> DeclaredFile:
    """A file with its keyed digest, its bytes and its lines. Raises OSError.

    It is read in pieces, so memory does not grow with its size.
    """
    content, size, lines, last = hashlib.sha256(), 0, 0, b"\n"
    with files.open_regular(path) as file:
        while piece := file.read(_CHUNK):
            content.update(piece)
            size += len(piece)
            if size > files.INPUT_FILE_BYTES:
                raise files.too_large(path, files.INPUT_FILE_BYTES)
            lines += piece.count(b"\n")
            last = piece[-1:]
    return DeclaredFile(Place(path), seal([name, content.hexdigest()]), FileSize(size, lines + (last != b"\n")))


class InputFilesKind(AttestedKind[InputFilesState, InputFilesMemo, "AccClient"]):
    """Sets of input files ("Upload input file", "Delete all input files", "Disable all input files")."""

    name = "input-files"
    form = AddressForm.OF_AGENT
    product = Product.ACC
    rank = 0
    noun = ("set of input files", "sets of input files")
    memo_type = InputFilesMemo

    # --- desired -----------------------------------------------------------------------------------------------------

    def complete(
        self,
        resource: Resource[InputFilesState],
        seal: Sealer,
        needs: Iterable[Need],
        entry: Entry[InputFilesMemo] | None,
    ) -> InputFilesState:
        """Every file measured. Raises OSError when one cannot be read, or is larger than an input file may be."""
        listed = resource.state.files
        return replace(
            resource.state, files={name: measure(one.place.path, name, seal) for name, one in listed.items()}
        )

    def declared_fields(self, state: InputFilesState) -> dict[str, JSON]:
        """Names and sizes, never content."""
        files: dict[str, JSON] = {f"inputFiles.{name}": _words(name, one.size) for name, one in state.files.items()}
        switch: dict[str, JSON] = {} if state.enabled is None else {"inputFilesEnabled": state.enabled}
        return files | ({"inputFilesExclusive": True} if state.exclusive else {}) | switch

    def content(self, state: InputFilesState, seal: Sealer) -> str:
        held = {
            name: {"digest": one.digest, "bytes": one.size.bytes, "lines": one.size.lines}
            for name, one in state.files.items()
            if one.size is not None
        }
        return seal({"files": held, "enabled": state.enabled, "exclusive": state.exclusive})

    def declared(self, state: InputFilesState, seal: Sealer) -> str:
        return seal([{name: one.digest for name, one in state.files.items()}, state.enabled, state.exclusive])

    # --- comparison --------------------------------------------------------------------------------------------------

    def diff(self, entry: Entry[InputFilesMemo] | None, desired: InputFilesState) -> tuple[FieldChange, ...]:
        """The files that were added, changed or removed since they were last sent, in words that hold no content."""
        memo = entry.memo if entry is not None else InputFilesMemo()
        if desired.enabled is False:
            was_off = memo.enabled is False
            return () if was_off else (FieldChange("enabled", before=None if entry is None else True, after=False),)
        found: list[FieldChange] = []
        if desired.enabled and memo.enabled is False:
            found.append(FieldChange("enabled", before=False, after=True))
        if desired.exclusive and not memo.exclusive:
            found.append(FieldChange("exclusive", before=None if entry is None else False, after=True))
        before = remembered_digests(entry)
        for name in sorted({*before, *desired.files}):
            after = desired.files.get(name)
            if before.get(name) != (after.digest if after is not None else None):
                was = _words(name, memo.sizes.get(name)) if name in before else None
                found.append(FieldChange(f"files.{name}", was, _words(name, after.size) if after is not None else None))
        return tuple(found)

    def decide(
        self,
        entry: Entry[InputFilesMemo] | None,
        desired: InputFilesState,
        found: tuple[FieldChange, ...],
        *,
        again: bool,
    ) -> Decision[InputFilesState]:
        """Disable all, replace the set, send what changed, or forget what was removed.

        After an interruption nothing remembered can be relied on: everything is sent again.
        """
        if desired.enabled is False:
            return Decision(Action.DISABLE, why=because(Cause.FILES_DISABLED), after=desired, fields=found)
        interrupted = again or (entry is not None and not entry.settled)
        changed = {one.path for one in found}
        removed = sorted(remembered_digests(entry).keys() - desired.files.keys())
        replaced = desired.exclusive and bool(removed or interrupted or "exclusive" in changed)
        everything = replaced or interrupted or "enabled" in changed
        send = tuple(sorted(name for name in desired.files if everything or f"files.{name}" in changed))
        idle = replaced or _may_go(entry)
        after = replace(desired, send=send, replace=replaced, idle=idle)
        stays = (
            ()
            if desired.exclusive
            else tuple(("stays-on-server", because(Cause.FILE_STAYS, name=name)) for name in removed)
        )
        if not send and not replaced:
            why = because(Cause.FILES_REMOVED)
            return Decision(Action.FORGET, Reason.REMOVED, why, after=after, fields=found, warnings=stays)
        why = because(Cause.FILES_REPLACED if replaced else Cause.FILES_TO_SEND, count=len(send))
        return Decision(Action.UPLOAD, why=why, after=after, fields=found, warnings=stays, needs_idle_agent=idle)

    def needs_idle_agent(self, state: InputFilesState, entry: Entry[InputFilesMemo] | None) -> bool:
        """Where the set may be replaced, or an active run may take away what is sent."""
        return state.exclusive or _may_go(entry)

    # --- the call ----------------------------------------------------------------------------------------------------

    def is_sent_in_parts(self, change: Change[InputFilesState]) -> bool:
        """A set of files may have been sent in part, and then only sending all of it again is right."""
        return change.action is Action.UPLOAD

    def act(self, api: AccClient, change: Change[InputFilesState], sending: Sending) -> None:
        """Every file is measured again right before it leaves, so that only what the plan showed is sent."""
        assert change.after is not None
        if change.action is Action.DISABLE:
            api.disable_input_files(change.agent_id)
            return
        planned = {name: change.after.files[name] for name in change.after.send}
        for name, one in planned.items():
            if measure(one.place.path, name, sending.seal).digest != one.digest:
                raise Refused(f"{name} changed on disk after the plan was made", hint="plan again")
        if change.after.idle and sending.is_busy(change.agent_id):
            raise Refused("a run of this agent is active; its input files are not sent now", hint="apply again later")
        if change.after.replace:
            api.delete_input_files(change.agent_id)
        from reconciler.clients.calls import InputFile

        for name, one in planned.items():
            file = InputFile(name, one.place.path)
            if name.lower().endswith(".csv"):
                api.put_input_csv(change.agent_id, file)
            else:
                api.upload_input_files(change.agent_id, [file])

    # --- what the ledger remembers -----------------------------------------------------------------------------------

    def remember(
        self, change: Change[InputFilesState], before: Entry[InputFilesMemo] | None
    ) -> tuple[Mapping[str, str], InputFilesMemo]:
        state = change.after
        assert state is not None
        if change.action is Action.DISABLE:
            # Nothing was sent: what is on the server is what was sent before, if anything.
            memo = before.memo if before is not None else InputFilesMemo()
            return before.applied if before is not None else {}, replace(memo, enabled=False, by_hand=None)
        applied = {f"files.{name}": one.digest for name, one in state.files.items()}
        return applied, _memo(state, before)

    def refreshed(self, state: InputFilesState, entry: Entry[InputFilesMemo]) -> InputFilesMemo:
        return entry.memo if state.enabled is False else _memo(state, entry)


KIND = InputFilesKind()


def remembered_digests(entry: Entry | None) -> dict[str, str]:
    """What the ledger holds of the files that were sent, by name."""
    if entry is None:
        return {}
    return {path.removeprefix("files."): one for path, one in entry.applied.items() if path.startswith("files.")}


def _may_go(entry: Entry[InputFilesMemo] | None) -> bool:
    """Whether a run that is active may take away what is sent now."""
    return entry is not None and entry.memo.run_deletes


def _memo(state: InputFilesState, before: Entry[InputFilesMemo] | None) -> InputFilesMemo:
    sent_all = len(state.send) == len(state.files)
    was = before.memo.enabled if before is not None and not sent_all else None
    return InputFilesMemo(
        sizes={name: one.size for name, one in sorted(state.files.items()) if one.size is not None},
        enabled=state.enabled if state.enabled is not None else was,
        exclusive=state.exclusive,
    )


def _words(name: str, size: FileSize | None) -> str:
    if size is None:
        return "known by its digest alone"
    return counted(size.bytes, "byte") if name.lower().endswith(".zip") else str(size)

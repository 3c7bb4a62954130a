"""How many rows of an input file came and went, where Git still knows what was sent last. Never the rows themselves."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

from reconciler.diff import Sealer
from reconciler.files import read_regular
from reconciler.kinds import input_files
from reconciler.model.copies import replace
from reconciler.model.entry import Entry
from reconciler.model.plan import Action, Change, FieldChange, Plan
from reconciler.planner import PlanInputs
from reconciler.workflow.git import earlier_contents

_LARGEST = 8 << 20


def with_row_counts(plan: Plan, inputs: PlanInputs) -> Plan:
    """The same plan, its changed input files worded with the rows added and removed where that can be known."""
    if not any(change.action is Action.UPLOAD for change in plan.changes):
        return plan
    paths = {
        (resource.address, f"files.{name}"): file.place.path
        for resource in input_files.KIND.among(inputs.desired.resources)
        for name, file in resource.state.files.items()
    }

    def counted(change: Change) -> Change:
        entry = inputs.memory.entries.get(change.address)
        if change.action is not Action.UPLOAD or entry is None:
            return change
        fields = tuple(
            _counted(field, entry, paths.get((change.address, field.path)), inputs.seal) for field in change.fields
        )
        return replace(change, fields=fields)

    return replace(plan, changes=tuple(map(counted, plan.changes)))


def _counted(field: FieldChange, entry: Entry, path: Path | None, seal: Sealer) -> FieldChange:
    remembered = entry.applied.get(field.path)
    if path is None or remembered is None or field.after is None:
        return field
    try:
        content = read_regular(path, _LARGEST)
    except OSError:
        return field
    name = field.path.removeprefix("files.")
    before = next(
        (
            earlier
            for earlier in earlier_contents(path, _LARGEST)
            if seal([name, hashlib.sha256(earlier).hexdigest()]) == remembered
        ),
        None,
    )
    if before is None:
        return field
    was, now = Counter(before.splitlines()), Counter(content.splitlines())
    added, removed = (now - was).total(), (was - now).total()
    return replace(field, after=f"{field.after} ({added} rows added, {removed} removed)")

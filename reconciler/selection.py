"""Which resources a command is about: shell patterns over addresses, and labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from reconciler.errors import UsageError
from reconciler.model import Address, KindName, Resource


@dataclass(frozen=True, slots=True)
class Selection:
    """`--only`, `--exclude` and `--label` as they were given. Empty: everything."""

    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        return not (self.only or self.exclude or self.labels)


def select(resources: Iterable[Resource], selection: Selection) -> frozenset[Address] | None:
    """The addresses that a selection leaves; None for everything.

    Raises UsageError for a pattern or a label that matches nothing: it is a slip, and would look like "no changes".
    """
    if selection.is_everything:
        return None
    known = tuple(resources)
    for pattern in (*selection.only, *selection.exclude):
        matching(known, pattern)
    pairs = [_pair(label) for label in selection.labels]
    for key, value in pairs:
        if not any(one.labels.get(key) == value for one in known):
            raise UsageError(f"no manifest carries the label {key}={value}", hint="labels stand under metadata.labels")
    chosen = frozenset(
        one.address
        for one in known
        if (not selection.only or any(fnmatchcase(str(one.address), pattern) for pattern in selection.only))
        and not any(fnmatchcase(str(one.address), pattern) for pattern in selection.exclude)
        and all(one.labels.get(key) == value for key, value in pairs)
    )
    if not chosen:
        raise UsageError("the selectors together leave nothing", hint="loosen --only, --exclude or --label")
    return chosen


def matching(known: Iterable[Resource], pattern: str) -> frozenset[Address]:
    """The addresses that a pattern means. Raises UsageError when there is none."""
    addresses = [one.address for one in known]
    found = frozenset(address for address in addresses if fnmatchcase(str(address), pattern))
    if found:
        return found
    near = get_close_matches(pattern, map(str, addresses), 1)
    whole = "a pattern is held against the whole address, such as schedule/prices/nightly"
    hint = f"did you mean {near[0]!r}?" if near else whole
    raise UsageError(f"{pattern!r} matches no declared address", hint=hint)


def to_resend(
    resources: Iterable[Resource], selected: frozenset[Address] | None, patterns: Iterable[str]
) -> frozenset[Address]:
    """What `--resend` means of what is selected: input files, approvals and triggers, which nobody can read back.

    Raises UsageError for a pattern that means nothing of the sort.
    """
    known = [one for one in resources if selected is None or one.address in selected]
    found: set[Address] = set()
    for pattern in patterns:
        sent = {address for address in matching(known, pattern) if address.kind is not KindName.SCHEDULE}
        if not sent:
            raise UsageError(
                f"--resend {pattern!r} matches schedules only",
                hint="a schedule is read back and compared, and is written whenever it differs; "
                "--resend is for input-files/…, approval/… and trigger/…",
            )
        found |= sent
    return frozenset(found)


def _pair(label: str) -> tuple[str, str]:
    key, equals, value = label.partition("=")
    if not (key and equals):
        raise UsageError(f"--label takes KEY=VALUE, not {label!r}")
    return key, value

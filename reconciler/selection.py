"""Which resources a command is about: shell patterns over addresses, and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from reconciler.errors import UsageError
from reconciler.kind import KindRegistry
from reconciler.model.address import Address
from reconciler.model.plan import Visibility
from reconciler.model.resource import Resource
from reconciler.suggestion import Suggestions


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
    texts = {str(one.address): one.address for one in known}
    wanted = frozenset().union(*(matching(texts, pattern) for pattern in selection.only)) or frozenset(texts.values())
    unwanted = frozenset().union(*(matching(texts, pattern) for pattern in selection.exclude))
    chosen = wanted - unwanted
    for key, value in map(_pair, selection.labels):
        labelled = {one.address for one in known if one.labels.get(key) == value}
        if not labelled:
            raise UsageError(f"no manifest carries the label {key}={value}", hint="labels stand under metadata.labels")
        chosen &= labelled
    if not chosen:
        raise UsageError("the selectors together leave nothing", hint="loosen --only, --exclude or --label")
    return chosen


def matching(texts: Mapping[str, Address], pattern: str) -> frozenset[Address]:
    """The addresses, by their texts, that a pattern means. Raises UsageError when there is none."""
    found = frozenset(
        [texts[pattern]]
        if pattern in texts
        else [address for text, address in texts.items() if fnmatchcase(text, pattern)]
    )
    if found:
        return found
    near = Suggestions(texts).nearest(pattern)
    whole = "a pattern is held against the whole address, such as schedule/prices/nightly"
    hint = f"did you mean {near!r}?" if near else whole
    raise UsageError(f"{pattern!r} matches no declared address", hint=hint)


def to_resend(
    resources: Iterable[Resource], selected: frozenset[Address] | None, patterns: Iterable[str], kinds: KindRegistry
) -> frozenset[Address]:
    """What `--resend` means of what is selected: input files, approvals and triggers, which nobody can read back.

    Raises UsageError for a pattern that means nothing of the sort.
    """
    known = {str(one.address): one.address for one in resources if selected is None or one.address in selected}
    found: set[Address] = set()
    for pattern in patterns:
        sent = {
            address for address in matching(known, pattern) if kinds[address.kind].visibility is not Visibility.OBSERVED
        }
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

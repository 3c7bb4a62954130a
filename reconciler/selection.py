"""Which resources a command is about: shell patterns over addresses, and labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase

from msgspec import Struct

from reconciler.errors import UsageError
from reconciler.kind import KindRegistry
from reconciler.model.address import Address
from reconciler.model.plan import Visibility
from reconciler.model.resource import Resource
from reconciler.quantities import first_few
from reconciler.suggestion import PatternSuggestions, Suggestions

_MOST_NAMED = 8


class Selection(Struct, frozen=True):
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
    wanted = frozenset().union(*(matching(texts, one, known) for one in selection.only)) or frozenset(texts.values())
    unwanted = frozenset().union(*(matching(texts, one, known) for one in selection.exclude))
    chosen = wanted - unwanted
    for key, value in (_pair(label, known) for label in selection.labels):
        labelled = {one.address for one in known if one.labels.get(key) == value}
        if not labelled:
            raise UsageError(f"no manifest carries the label {key}={value}", hint=_label_hint(key, value, known))
        chosen &= labelled
    if not chosen:
        raise UsageError("the selectors together leave nothing", hint="loosen --only, --exclude or --label")
    return chosen


def meant(texts: Mapping[str, Address], pattern: str) -> frozenset[Address]:
    """The addresses, by their texts, that a pattern means: one that is an address means that one alone."""
    if pattern in texts:
        return frozenset({texts[pattern]})
    return frozenset(address for text, address in texts.items() if fnmatchcase(text, pattern))


def matching(
    texts: Mapping[str, Address],
    pattern: str,
    resources: Iterable[Resource],
    *,
    suggested: Callable[[Address], bool] = lambda _: True,
) -> frozenset[Address]:
    """The addresses, by their texts, that a pattern means. Raises UsageError when there is none.

    `resources` is what they are the addresses of; those that are `suggested` are worth a hint.
    """
    if found := meant(texts, pattern):
        return found
    known = [one for one in resources if suggested(one.address)]
    aliases = {one.identity: str(one.address) for one in known if one.identity}
    aliases |= {one.agent_path.lower(): one.address.agent for one in known if one.agent_path}
    whole = "a pattern is held against the whole address, such as schedule/prices/nightly"
    is_name = any(pattern in text.split("/") for text in texts)
    label = "" if is_name else _label_meant(pattern, known)
    near = label or PatternSuggestions((str(one.address) for one in known), aliases).hint(pattern)
    raise UsageError(f"{pattern!r} matches no declared address", hint=near or whole)


def to_resend(
    resources: Iterable[Resource], selected: frozenset[Address] | None, patterns: Iterable[str], kinds: KindRegistry
) -> frozenset[Address]:
    """What `--resend` means of what is selected: input files, approvals and triggers, which nobody can read back.

    Raises UsageError for a pattern that means nothing of the sort.
    """
    among = [one for one in resources if selected is None or one.address in selected]
    known = {str(one.address): one.address for one in among}
    found: set[Address] = set()

    def is_sent(address: Address) -> bool:
        return kinds[address.kind].visibility is not Visibility.OBSERVED

    for pattern in patterns:
        sent = set(filter(is_sent, matching(known, pattern, among, suggested=is_sent)))
        if not sent:
            raise UsageError(
                f"--resend {pattern!r} matches schedules only",
                hint="a schedule is read back and compared, and is written whenever it differs; "
                "--resend is for input-files/…, approval/… and trigger/…",
            )
        found |= sent
    return frozenset(found)


def _pair(label: str, resources: Iterable[Resource]) -> tuple[str, str]:
    key, equals, value = label.partition("=")
    if not (key and equals):
        hint = _label_meant(label, resources) or _label_hint(key, value, resources)
        raise UsageError(f"--label takes KEY=VALUE, not {label!r}", hint=hint)
    return key, value


def _label_meant(word: str, resources: Iterable[Resource]) -> str:
    """A hint for somebody who wrote a label, or the value of one, where something else was asked for."""
    pairs = {
        f"{key}={value}" for one in resources for key, value in one.labels.items() if word in (value, f"{key}={value}")
    }
    return f"did you mean --label {min(pairs)}?" if pairs else ""


def _label_hint(key: str, value: str, resources: Iterable[Resource]) -> str:
    """What labels there are: the values of this key, or the keys."""
    known: dict[str, set[str]] = defaultdict(set)
    for one in resources:
        for name, carried in one.labels.items():
            known[name].add(carried)
    where = "labels stand under metadata.labels"
    if not known:
        return f"{where}, and no manifest has any"
    meant = key if key in known else Suggestions(known).nearest(key)
    if not meant:
        return f"{where}; known are {first_few(sorted(known), _MOST_NAMED)}"
    values = sorted(known[meant])
    near = Suggestions(values).nearest(value) or (value if value in values else "")
    if near:
        return f"did you mean {meant}={near}?"
    return f"{where}; {meant} is {first_few(values, _MOST_NAMED)}"

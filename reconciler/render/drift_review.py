"""An audit as a person reads it: by status, what differs alike together, one cause of what was not read said once.

Text, Markdown and pages draw this one outline, so that they tell the same and each finding is counted once in each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from functools import cached_property

from msgspec import Struct

from reconciler.model.address import Address, Origin
from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.live import Evidence
from reconciler.model.plan import FieldChange
from reconciler.quantities import counted
from reconciler.render import wording
from reconciler.render.alike_sentences import shared_sentence, skeleton
from reconciler.render.characters import cut
from reconciler.render.likeness import VaryingField, alike, common_fields, grouped, shown_field, varying_fields
from reconciler.render.reasons import words
from reconciler.render.review import WarningGroup, bare, counted_kinds, warning_groups

_SHORT_VALUE = 40
_NAMED_FIELDS = 3


class FindingGroup(Struct, frozen=True, dict=True):
    """Findings that are judged together: of one status, known in one way, for one cause; in `fields` as far as alike.

    `about_unset`: it is about the fields that no manifest sets, which changed since the last apply.
    """

    findings: tuple[DriftFinding, ...]
    about_unset: bool = False

    @property
    def status(self) -> DriftStatus:
        return self.findings[0].status

    @property
    def evidence(self) -> Evidence:
        return self.findings[0].evidence

    @property
    def addresses(self) -> tuple[Address, ...]:
        return tuple(finding.address for finding in self.findings)

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Where the findings stand in manifests, each place once and in order."""
        found = {finding.origin for finding in self.findings if finding.origin is not None}
        return tuple(sorted(found, key=lambda one: (one.path, one.line)))

    @property
    def is_single(self) -> bool:
        return len(self.findings) == 1

    def fields_of(self, finding: DriftFinding) -> tuple[FieldChange, ...]:
        """The fields of a finding that this group is about."""
        return finding.unset if self.about_unset else finding.fields

    @cached_property
    def common(self) -> tuple[FieldChange, ...]:
        """The fields in which all findings differ alike."""
        return common_fields([self.fields_of(finding) for finding in self.findings])

    @cached_property
    def varying(self) -> tuple[VaryingField, ...]:
        """The other fields, in the order in which findings name them."""
        return varying_fields([self.fields_of(finding) for finding in self.findings])

    @cached_property
    def sentences(self) -> tuple[tuple[str, int], ...]:
        """Why these resources stand so, each sentence with how many it is said of; none that says nothing."""
        said = Counter(words(finding.why) for finding in self.findings)
        return tuple((sentence, count) for sentence, count in said.most_common() if sentence)

    @property
    def said(self) -> str:
        """Why all stand so, whatever names and times differ; "" where it is not the same, or nothing is said."""
        said = [words(finding.why) for finding in self.findings]
        return shared_sentence(said) if len(set(map(skeleton, said))) == 1 else ""

    @property
    def is_told(self) -> bool:
        """Whether the headline holds all that differs, so that no field has to be told beside it."""
        if self.varying or len(self.common) > _NAMED_FIELDS:
            return False
        return all(len(bare(side)) <= _SHORT_VALUE for field in self.common for side in field.shown)

    def counted(self) -> str:
        """`117 schedules`; `1,260 resources` where they are of several kinds."""
        return counted_kinds(self.addresses)

    def headline(self) -> str:
        """`117 schedules: every is 45m, declared 15m`; of one its address instead of a count."""
        subject = str(self.findings[0].address) if self.is_single else self.counted()
        told = list(self._differing())
        return f"{subject}: {', '.join(told)}" if told else subject

    def _differing(self) -> Iterable[str]:
        named = []
        for field in self.common:
            is_short = max(len(bare(side)) for side in field.shown) <= _SHORT_VALUE
            named.append(self._in_words(field) if is_short else field.path)
        named += [field.path for field in self.varying]
        yield from named[:_NAMED_FIELDS]
        if len(named) > _NAMED_FIELDS:
            yield counted(len(named) - _NAMED_FIELDS, "more field")

    def _in_words(self, field: FieldChange) -> str:
        if field.secret:
            return f"{field.path} differs"
        live, other = (cut(bare(side), _SHORT_VALUE) for side in field.shown)
        return f"{field.path} is {live}, {'was' if self.about_unset else 'declared'} {other}"


class DriftOutline(Struct, frozen=True):
    """An audit in the order in which it is read. Every finding stands in one group of `groups`.

    `unset` tells of some of them once more: what changed in fields that no manifest sets.
    """

    groups: tuple[FindingGroup, ...]
    unset: tuple[FindingGroup, ...]
    warnings: tuple[WarningGroup, ...]

    def of(self, status: DriftStatus) -> tuple[FindingGroup, ...]:
        """The groups of one status, the largest first."""
        return tuple(group for group in self.groups if group.status is status)


def drift_outline(drift: Drift) -> DriftOutline:
    """The findings by status and likeness, and warnings by code."""
    unset = [finding for finding in drift.findings if finding.unset]
    return DriftOutline(
        _groups(drift.findings, about_unset=False), _groups(unset, about_unset=True), warning_groups(drift.warnings)
    )


def _groups(findings: Iterable[DriftFinding], *, about_unset: bool) -> tuple[FindingGroup, ...]:
    found = [
        FindingGroup(tuple(sorted(together, key=lambda finding: finding.address)), about_unset)
        for of_one_sort in grouped(findings, _unset_sort if about_unset else _sort_of).values()
        for together in alike(of_one_sort, _unset_as_shown if about_unset else _as_shown)
    ]
    statuses = wording.DRIFT_ORDER
    return tuple(
        sorted(
            found,
            key=lambda group: (
                0 if about_unset else statuses.index(group.status),
                -len(group.findings),
                group.findings[0].address,
            ),
        )
    )


def _sort_of(finding: DriftFinding) -> Hashable:
    """What may stand in one group at all. What was not read is one by its cause, of whatever kind it is."""
    if finding.status is DriftStatus.UNREADABLE:
        return finding.status, finding.evidence, skeleton(words(finding.why))
    cause = None if finding.why is None else finding.why.cause
    paths = tuple(sorted(field.path for field in finding.fields))
    return finding.status, finding.evidence, cause, finding.address.kind, paths


def _as_shown(finding: DriftFinding) -> Hashable:
    return tuple(map(shown_field, finding.fields))


def _unset_sort(finding: DriftFinding) -> Hashable:
    return finding.address.kind, tuple(sorted(field.path for field in finding.unset))


def _unset_as_shown(finding: DriftFinding) -> Hashable:
    return tuple(map(shown_field, finding.unset))

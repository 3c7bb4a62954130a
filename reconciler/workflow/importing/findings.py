"""What an import found out that a person should know, grouped and counted: nobody reads three hundred lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import Enum

from msgspec import Struct

from reconciler.quantities import counted, first_few

_MOST_SINGLE = 3
_MOST_NAMED = 5


class Found(Enum):
    """A sort of finding: what one of it says after its place, and what many say after their number."""

    UNWRITABLE = ("stays unmanaged: {detail}", "schedules stay unmanaged, since they cannot be said in a manifest")
    OTHER_ENVIRONMENT = ("stays unmanaged: {detail}", "schedules stay unmanaged: other environments manage them")
    OURS_UNDECLARED = ("is left alone: {detail}", "schedules are left alone: this project knows them, undeclared")
    OTHER_PROJECT = (
        "was perhaps made by another project or environment: {detail}",
        "schedules were perhaps made by another project or environment: then take their blocks out",
    )
    OURS_AGAIN = (
        "was made by this project, from a manifest that is gone: {detail}",
        "schedules were made by this project, from manifests that are gone",
    )
    WAS_SECRET = (
        "inputParameters: {detail} was secret, or may have been: all parameters stay as they are in ACC, and out of "
        "the file",
        "parameters were secret, or may have been: all parameters of their schedules stay as they are in ACC, and out "
        "of the files",
    )
    SECRET_LIKE = (
        "inputParameters.{detail} looks like a secret, and stands in the file",
        "parameters look like secrets, and stand in the files: better `${env:NAME}`",
    )
    ALREADY_DECLARED = ("is {detail}", "schedules are declared already")

    @property
    def single(self) -> str:
        return self.value[0]

    @property
    def many(self) -> str:
        return self.value[1]


class ImportFinding(Struct, frozen=True):
    """One finding: of which schedule of which agent, by its id or its new name, and the detail that it is about."""

    kind: Found
    agent: str
    schedule: str
    detail: str

    def __str__(self) -> str:
        place = f"{self.agent}: the schedule {self.schedule}" if self._is_by_id else f"{self.agent}: {self.schedule}"
        between = ": " if self.kind in (Found.WAS_SECRET, Found.SECRET_LIKE) else " "
        return f"{place}{between}{self.kind.single.format(detail=self.detail)}"

    @property
    def _is_by_id(self) -> bool:
        return self.kind in (Found.UNWRITABLE, Found.OTHER_ENVIRONMENT, Found.OURS_UNDECLARED, Found.ALREADY_DECLARED)


def notes(findings: Iterable[ImportFinding], *, in_full: bool) -> Iterator[str]:
    """The findings as notes, those of one sort together; one by one where there are few, or all are asked for."""
    found = list(findings)
    for kind in Found:
        alike = [one for one in found if one.kind is kind]
        if in_full or (len(alike) <= _MOST_SINGLE and kind is not Found.ALREADY_DECLARED):
            yield from map(str, alike)
            continue
        if not alike:
            continue
        details = ""
        if kind in (Found.WAS_SECRET, Found.SECRET_LIKE):
            named = Counter(one.detail for one in alike)
            words = [f"{key} ({number})" if number > 1 else key for key, number in sorted(named.items())]
            details = f": {first_few(words, _MOST_NAMED)}"
        elif kind is Found.UNWRITABLE:
            details = f"; the first: {alike[0].agent}: {alike[0].schedule}, {alike[0].detail}"
        agents = counted(len({one.agent for one in alike}), "agent")
        number = len(alike)
        many = kind.many if number > 1 else kind.many.replace("schedules are", "schedule is", 1)
        yield f"{number:,} {many}{details} ({agents}; -v lists them)"

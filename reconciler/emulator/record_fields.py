"""The fields of what the emulator holds, under the names that documents give them, with the types that they have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

from reconciler.errors import UsageError
from reconciler.model import JSON


class RecordFields:
    """Some attributes of one sort of record. In a document `time_zone_id` is `timeZoneId`, unless `renamed` says else.

    `others` are further names that a document may have, and that are read elsewhere.
    """

    def __init__(
        self, record: type, *attributes: str, renamed: Mapping[str, str] | None = None, others: Iterable[str] = ()
    ) -> None:
        self.attributes = {(renamed or {}).get(name, _documented(name)): name for name in attributes}
        self._types = get_type_hints(record)
        self._known = {*self.attributes, *others}

    def read(self, document: Mapping[str, JSON], what: str) -> dict[str, Any]:
        """The attributes that a document sets. Raises UsageError for a name that is not known, or another type."""
        refuse_others(document, self._known, what)
        found = {name: document[key] for key, name in self.attributes.items() if key in document}
        for name, value in found.items():
            wanted = self._types[name]
            is_number_at_last = wanted is float and isinstance(value, int)
            if not (isinstance(value, wanted) or is_number_at_last) or (isinstance(value, bool) and wanted is not bool):
                raise UsageError(f"{what} has a {name} of the wrong type: {value!r}")
        return found

    def write(self, record: object) -> dict[str, JSON]:
        """A record's attributes under their documented names."""
        return {key: getattr(record, name) for key, name in self.attributes.items()}


def refuse_others(document: Mapping[str, JSON], known: Iterable[str], what: str) -> None:
    """Refuse names that are not known. Raises UsageError."""
    if unknown := sorted(set(document) - set(known)):
        raise UsageError(f"{what} has no {', '.join(unknown)}", hint="known are: " + ", ".join(sorted(known)))


def _documented(name: str) -> str:
    return re.sub("_(.)", lambda match: match[1].upper(), name)

"""What differs between two whole structures, lists included, in words for people. `diff` says what is the same."""

from __future__ import annotations

import json
from collections.abc import Sequence

from reconciler.model import JSON, FieldChange
from reconciler.quantities import first_few

_NAMED = 3
_LONGEST = 60


def differences(before: JSON, after: JSON) -> tuple[FieldChange, ...]:
    """Each place at which two values differ, in order of path, such as `files[1].name`; None for what is not there."""
    from deepdiff import DeepDiff  # asked only once something differs: it takes a tenth of a second to import

    found = DeepDiff(before, after, view="tree", threshold_to_diff_deeper=0, ignore_private_variables=False)
    return tuple(
        sorted(
            (
                FieldChange(_path(place.path(output_format="list")), _value(place.t1), _value(place.t2))
                for places in found.values()
                for place in places
            ),
            key=lambda each: each.path,
        )
    )


def difference_text(before: JSON, after: JSON, *, was: str, now: str) -> str:
    """The first few differences, as in `cron: "0 0 2 * * *" was sent, "0 0 3 * * *" came back`; "" without one."""
    found = differences(before, after)
    return first_few(
        [f"{each.path}: {_text(each.before)} {was}, {_text(each.after)} {now}" for each in found], _NAMED, between="; "
    )


def _path(steps: Sequence[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def _value(found: JSON) -> JSON:
    from deepdiff.helper import NotPresent

    return None if isinstance(found, NotPresent) else found


def _text(value: JSON) -> str:
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

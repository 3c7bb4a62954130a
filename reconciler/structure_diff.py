"""What differs between two whole structures, lists included, in words for people. `diff` says what is the same."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence

from reconciler.model.plan import FieldChange
from reconciler.model.state import JSON
from reconciler.quantities import first_few

_FIELD = re.compile(r"[.\[]")
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


def difference_text(before: JSON, after: JSON, *, was: str, now: str, secrets: Collection[str] = ()) -> str:
    """The first few differences, as in `cron: "0 0 2 * * *" was sent, "0 0 3 * * *" came back`; "" without one.

    Of a field that holds a secret (`secrets` are paths) nothing is shown but its name: who knows what became of it.
    """
    hidden = {path.partition(".")[0] for path in secrets}
    texts: list[str] = []
    for each in differences(before, after):
        if (field := _FIELD.split(each.path)[0]) not in hidden:
            texts.append(f"{each.path}: {_text(each.before)} {was}, {_text(each.after)} {now}")
        elif field not in texts:
            texts.append(field)
    return first_few(texts, _NAMED, between="; ")


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

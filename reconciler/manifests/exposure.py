"""What would let others see a secret: a place that everybody reads, a problem's message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from reconciler.manifests.interpolation import FilledDocument
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.yaml_values import DocumentPath
from reconciler.model.copies import replace
from reconciler.model.resource import Problem

_SHORTEST = 4
_ADDRESS = re.compile(r"[a-z0-9./_-]*")
_CUTS = (200, 120, 100, 80, 60, 40)
"""How long a text from outside may be in a message, here and there."""


class PublicPlace(Struct, frozen=True):
    """Something outside parameters that was filled in from the environment or a file: `texts`, for all to see."""

    report: ProblemReporter
    path: DocumentPath
    texts: frozenset[str]


def public_places(
    filled: FilledDocument, report: ProblemReporter, secret_keys: frozenset[str]
) -> Iterator[PublicPlace]:
    """All such places of a document; what stands below one of the `secret_keys` is none."""
    for path, texts in filled.secrets.items():
        if not any(part in secret_keys or str(part).startswith("x-") for part in path):
            yield PublicPlace(report, path, texts | filled.unset.get(path, frozenset()))


def secret_parameters(filled: FilledDocument, secret_keys: frozenset[str]) -> set[str]:
    """What stands below one of the `secret_keys` and came from outside, also where the block is wrong otherwise."""
    return {text for path, texts in filled.secrets.items() if secret_keys & set(path) for text in texts if text}


def unset_parameters(filled: FilledDocument, secret_keys: frozenset[str]) -> set[str]:
    """What stands below one of the `secret_keys` and is not known, as it would be secret."""
    return {text for path, texts in filled.unset.items() if secret_keys & set(path) for text in texts}


def check_public_places(places: Iterable[PublicPlace], credentials: set[str], parameters: set[str]) -> None:
    """A secret that also stands where everybody reads it: an error for a credential, a warning for a parameter."""
    for place in places:
        texts = {text for text in place.texts if len(text) >= _SHORTEST}
        named = f"`{next((part for part in reversed(place.path) if isinstance(part, str)), 'it')}`"
        if texts & credentials:
            message = f"{named} is filled in with a credential of a connection, and is printed: take it out"
            place.report.error(place.path, "secret-in-public", message)
        elif texts & parameters:
            message = (
                f"{named} is filled in from what is a secret parameter elsewhere, and is printed: use another "
                "variable for it, or `${var:…}` where it is no secret"
            )
            place.report.warn(place.path, "secret-in-public", message)


def without(problems: tuple[Problem, ...], secrets: Iterable[str]) -> tuple[Problem, ...]:
    """The same problems without secrets: a wrong value or name is quoted, and may be one that is secret."""
    said = "\n".join({text for problem in problems for text in (problem.message, problem.address)})
    # Most secrets stand in no message, which their beginnings tell without a search for each.
    begun = {said[start : start + _SHORTEST] for start in range(len(said))}
    forms = {form for value in secrets for form in (value, repr(value)[1:-1]) if form[:_SHORTEST] in begun}
    quoted = {part for form in forms for part in _quoted(form, said)}
    if not quoted:
        return problems
    from reconciler.clients.redaction import Redactor

    redact = Redactor(quoted)
    return tuple(
        replace(
            problem,
            message=redact(problem.message),
            address=problem.address if _ADDRESS.fullmatch(problem.address) else redact(problem.address),
        )
        for problem in problems
    )


def _quoted(form: str, said: str) -> Iterator[str]:
    """What stands in a text of a value's form: all of it, or the beginning that a message kept."""
    for cut in (len(form), *(cut for cut in _CUTS if cut < len(form))):
        if cut >= _SHORTEST and form[:cut] in said:
            yield form[:cut]
            break

"""Problems and drift as SARIF 2.1.0, for code scanning and editors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import quote

from reconciler.model.address import Origin
from reconciler.model.condition import Drift, DriftStatus
from reconciler.model.resource import Problem
from reconciler.render import Stamp
from reconciler.render.json_ import Document, dumps
from reconciler.render.wording import DRIFT_MEANING, UNSET_MEANING, field_sentences, finding_words, unset_sentences

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
PROJECT_FILE = "reconciler.yaml"

_LEVEL = {
    DriftStatus.DRIFTED: "error",
    DriftStatus.DIVERGED: "error",
    DriftStatus.MISSING: "error",
    DriftStatus.UNREADABLE: "warning",
    DriftStatus.PENDING: "note",
    DriftStatus.UNVERIFIABLE: "note",
}


class _Result(NamedTuple):
    """What stands at a place; results are in this order."""

    origin: Origin
    address: str
    rule: str
    message: str
    level: str
    meaning: str


def problems(problems: Sequence[Problem], stamp: Stamp) -> str:
    """The problems of the files; a rule is a problem's code."""
    found = [
        _Result(
            Origin(one.path, one.line, one.column),
            one.address,
            one.code,
            one.message,
            one.severity.value,
            one.code.replace("-", " ").capitalize(),
        )
        for one in problems
    ]
    return _log("validate", found, stamp)


def drift(drift: Drift, stamp: Stamp) -> str:
    """What is not in sync, at the place that declares it; a rule is a status. Unmanaged schedules have no place.

    What changed in fields that the manifest does not set is a note of its own.
    """
    found = []
    for finding in drift.findings:
        origin, address, status = finding.origin or Origin(PROJECT_FILE, 1), str(finding.address), finding.status
        if status in _LEVEL:
            meaning = DRIFT_MEANING[status]
            told = "; ".join([finding_words(finding) or meaning, *field_sentences(finding.fields)])
            message = f"{address} is {status} ({finding.evidence}): {told}{f' [{origin.item}]' if origin.item else ''}"
            found.append(_Result(origin, address, status.value, message, _LEVEL[status], meaning))
        if finding.unset:
            message = f"{address}: {'; '.join(unset_sentences(finding.unset))}"
            found.append(_Result(origin, address, "changed-unset", message, "note", f"Changed {UNSET_MEANING}"))
    return _log("drift", found, stamp)


def _log(category: str, found: Iterable[_Result], stamp: Stamp) -> str:
    results = sorted(found)
    rules = sorted({result.rule: result.meaning for result in results}.items())
    index = {rule: number for number, (rule, _) in enumerate(rules)}
    return dumps(
        {
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "reconciler",
                            "semanticVersion": stamp.reconciler_version,
                            "rules": [{"id": rule, "shortDescription": {"text": meaning}} for rule, meaning in rules],
                        }
                    },
                    "automationDetails": {"id": f"reconciler/{category}/{stamp.project}/{stamp.environment}/"},
                    "columnKind": "unicodeCodePoints",
                    "results": [_result(result, index[result.rule]) for result in results],
                }
            ],
        }
    )


def _result(result: _Result, rule_index: int) -> Document:
    origin = result.origin
    uri = quote(origin.path, errors="backslashreplace")
    place: Document = {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}}
    if origin.line >= 1:
        place["region"] = {"startLine": origin.line, "startColumn": max(origin.column, 1)}
    location: Document = {"physicalLocation": place}
    if result.address:
        location["logicalLocations"] = [{"fullyQualifiedName": result.address, "kind": "resource"}]
    return {
        "ruleId": result.rule,
        "ruleIndex": rule_index,
        "level": result.level,
        "message": {"text": result.message or result.meaning},
        "locations": [location],
        "partialFingerprints": {"reconciler/v1": _fingerprint(result)},
    }


def _fingerprint(result: _Result) -> str:
    """The same finding stays the same when lines move above it, so the line is not part of it."""
    text = "\0".join((result.rule, result.origin.path, result.address, result.message))
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:32]

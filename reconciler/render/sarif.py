"""Problems and drift as SARIF 2.1.0, for code scanning and editors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from reconciler.model import Drift, DriftFinding, DriftStatus, Origin, Problem
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


@dataclass(frozen=True, slots=True)
class _Result:
    rule: str
    meaning: str
    level: str
    message: str
    path: str
    line: int
    column: int
    address: str


def problems(problems: Sequence[Problem], stamp: Stamp) -> str:
    """The problems of the files; a rule is a problem's code."""
    return _log(
        "validate",
        (
            _Result(
                problem.code,
                problem.code.replace("-", " ").capitalize(),
                problem.severity.value,
                problem.message,
                problem.path,
                problem.line,
                problem.column,
                problem.address,
            )
            for problem in sorted(problems)
        ),
        stamp,
    )


def drift(drift: Drift, stamp: Stamp) -> str:
    """What is not in sync, at the place that declares it; a rule is a status. Unmanaged schedules have no place.

    What changed in fields that the manifest does not set is a note of its own.
    """
    found = [_finding(item) for item in drift.findings if item.status in _LEVEL]
    return _log("drift", [*found, *(_note(item) for item in drift.findings if item.unset)], stamp)


def _finding(finding: DriftFinding) -> _Result:
    told = [finding_words(finding) or DRIFT_MEANING[finding.status], *field_sentences(finding.fields)]
    message = f"{finding.address} is {finding.status} ({finding.evidence}): {'; '.join(told)}"
    origin = finding.origin
    return _Result(
        finding.status.value,
        DRIFT_MEANING[finding.status],
        _LEVEL[finding.status],
        message,
        origin.path if origin else PROJECT_FILE,
        origin.line if origin else 1,
        origin.column if origin else 1,
        str(finding.address),
    )


def _note(finding: DriftFinding) -> _Result:
    origin = finding.origin or Origin(PROJECT_FILE, 1)
    message = f"{finding.address}: {'; '.join(unset_sentences(finding.unset))}"
    return _Result(
        "changed-unset", f"Changed {UNSET_MEANING}", "note", message, origin.path, origin.line, origin.column,
        str(finding.address),
    )  # fmt: skip


def _log(category: str, found: Iterable[_Result], stamp: Stamp) -> str:
    results = sorted(found, key=lambda item: (item.path, item.line, item.column, item.address, item.rule, item.message))
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
    place: Document = {
        "artifactLocation": {"uri": quote(result.path, errors="backslashreplace"), "uriBaseId": "%SRCROOT%"}
    }
    if result.line >= 1:
        place["region"] = {"startLine": result.line, "startColumn": max(result.column, 1)}
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
    text = "\0".join((result.rule, result.path, result.address, result.message))
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:32]

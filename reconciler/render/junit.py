"""Problems and drift as JUnit XML, for the test pages of CI systems."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.resource import Problem, Severity
from reconciler.render import Stamp
from reconciler.render.characters import xml_text
from reconciler.render.wording import DRIFT_MEANING, field_sentences, finding_words, unset_sentences

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


def problems(problems: Sequence[Problem], stamp: Stamp) -> str:
    """A suite for each file with problems, a case for each problem. A warning passes, with its text as output."""
    cases = [
        _case(
            problem.path,
            f"{problem.address or 'file'} {problem.code} at {problem.line}:{problem.column}",
            "failure" if problem.severity is Severity.ERROR else "system-out",
            code=problem.code,
            message=problem.message,
            text=f"{problem.path}:{problem.line}:{problem.column}: {problem.message}",
        )
        for problem in sorted(problems)
    ]
    return _document(cases or [_case("manifests", "validate")], "validate", stamp)


def drift(drift: Drift, stamp: Stamp) -> str:
    """A suite for each kind, a case for each resource: drift fails, what is unreadable is an error.

    What is pending or cannot be verified is skipped with its reason; unmanaged schedules are no cases.
    """
    managed = [item for item in drift.findings if item.status is not DriftStatus.UNMANAGED]
    cases = [_drift_case(item) for item in sorted(managed, key=lambda item: str(item.address))]
    return _document(cases or [_case("drift", "nothing is managed")], "drift", stamp)


def _drift_case(finding: DriftFinding) -> Element:
    status = finding.status
    if status.is_drift:
        tag = "failure"
    elif status is DriftStatus.UNREADABLE:
        tag = "error"
    else:
        in_sync = "system-out" if finding.unset else ""
        tag = in_sync if status is DriftStatus.IN_SYNC else "skipped"
    message = finding_words(finding) or DRIFT_MEANING[status]
    place = [str(finding.origin)] if finding.origin else []
    told = [*field_sentences(finding.fields), *unset_sentences(finding.unset)]
    return _case(
        finding.address.kind,
        str(finding.address),
        tag,
        code=status.value,
        message=message,
        text="\n".join([*place, f"{message} ({finding.evidence})", *told]),
    )


def _case(suite: str, name: str, tag: str = "", *, code: str = "", message: str = "", text: str = "") -> Element:
    """A test case. `tag` says how it ended: failure, error or skipped, system-out or nothing where it passed."""
    case = Element("testcase", classname=xml_text(suite), name=xml_text(name), time="0")
    if not tag:
        return case
    ended = SubElement(case, tag)
    if tag in ("failure", "error"):
        ended.set("type", xml_text(code))
    if tag != "system-out":
        ended.set("message", xml_text(message))
    if tag != "skipped":
        ended.text = xml_text(text)
    return case


def _document(cases: Sequence[Element], category: str, stamp: Stamp) -> str:
    """The strictest reader in use (Jenkins) allows no `skipped` on the root, and no file or line on a case."""
    name = xml_text(f"reconciler {category} {stamp.project}/{stamp.environment}")
    root = Element("testsuites", {"name": name, **_counts(cases)})
    for suite, group in groupby(cases, key=lambda case: case.attrib["classname"]):
        members = list(group)
        skipped = str(_number(members, "skipped"))
        when = xml_text(stamp.created_at.removesuffix("Z"))
        attributes = {"name": suite, **_counts(members), "skipped": skipped, "timestamp": when}
        SubElement(root, "testsuite", attributes).extend(members)
    indent(root)
    return f"{_DECLARATION}\n{tostring(root, encoding='unicode')}\n"


def _counts(cases: Sequence[Element]) -> dict[str, str]:
    failures, errors = _number(cases, "failure"), _number(cases, "error")
    return {"tests": str(len(cases)), "failures": str(failures), "errors": str(errors), "time": "0"}


def _number(cases: Iterable[Element], tag: str) -> int:
    return sum(case.find(tag) is not None for case in cases)

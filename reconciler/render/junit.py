"""Problems and drift as JUnit XML, for the test pages of CI systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.sax.saxutils import quoteattr

from reconciler.model import Drift, DriftFinding, DriftStatus, Problem, Severity
from reconciler.render import Stamp
from reconciler.render.characters import xml_text
from reconciler.render.wording import DRIFT_MEANING, IS_DRIFT, field_sentences


@dataclass(frozen=True, slots=True)
class _Case:
    """One test case. `tag` is failure, error or skipped, or empty for one that passed."""

    suite: str
    name: str
    tag: str = ""
    kind: str = ""
    message: str = ""
    text: str = ""
    file: str = ""
    line: int = 0


def problems(problems: Sequence[Problem], stamp: Stamp) -> str:
    """A suite for each file with problems, a case for each problem. A warning passes, with its text as output."""
    cases = [
        _Case(
            suite=problem.path,
            name=f"{problem.address or 'file'} {problem.code} at {problem.line}:{problem.column}",
            tag="failure" if problem.severity is Severity.ERROR else "system-out",
            kind=problem.code,
            message=problem.message,
            text=f"{problem.path}:{problem.line}:{problem.column}: {problem.message}",
            file=problem.path,
            line=problem.line,
        )
        for problem in sorted(problems)
    ]
    return _document(cases or [_Case("manifests", "validate")], "validate", stamp)


def drift(drift: Drift, stamp: Stamp) -> str:
    """A suite for each kind, a case for each resource: drift fails, what is unreadable is an error.

    What is pending or cannot be verified is skipped with its reason; unmanaged schedules are no cases.
    """
    managed = [item for item in drift.findings if item.status is not DriftStatus.UNMANAGED]
    cases = [_drift_case(item) for item in sorted(managed, key=lambda item: str(item.address))]
    return _document(cases or [_Case("drift", "nothing is managed")], "drift", stamp)


def _drift_case(finding: DriftFinding) -> _Case:
    status = finding.status
    if status in IS_DRIFT:
        tag = "failure"
    elif status is DriftStatus.UNREADABLE:
        tag = "error"
    else:
        tag = "" if status is DriftStatus.IN_SYNC else "skipped"
    message = finding.message or DRIFT_MEANING[status]
    origin = finding.origin
    return _Case(
        suite=finding.address.kind.value,
        name=str(finding.address),
        tag=tag,
        kind=status.value,
        message=message,
        text="\n".join([f"{message} ({finding.evidence})", *field_sentences(finding.fields)]),
        file=origin.path if origin else "",
        line=origin.line if origin else 0,
    )


def _document(cases: Sequence[_Case], category: str, stamp: Stamp) -> str:
    name = f"reconciler {category} {stamp.project}/{stamp.environment}"
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites name={_attr(name)} {_counts(cases)}>"]
    for suite, group in groupby(cases, key=lambda case: case.suite):
        members = list(group)
        when = stamp.created_at.removesuffix("Z")
        lines.append(
            f"  <testsuite name={_attr(suite)} {_counts(members)} timestamp={_attr(when)} hostname={_attr('-')}>"
        )
        lines += [_case(case) for case in members]
        lines.append("  </testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _counts(cases: Sequence[_Case]) -> str:
    counted = {tag: sum(case.tag == tag for case in cases) for tag in ("failure", "error", "skipped")}
    failures, errors, skipped = counted.values()
    return f'tests="{len(cases)}" failures="{failures}" errors="{errors}" skipped="{skipped}" time="0"'


def _case(case: _Case) -> str:
    place = f" file={_attr(case.file)} line={_attr(str(case.line))}" if case.file else ""
    head = f'    <testcase classname={_attr(case.suite)} name={_attr(case.name)}{place} time="0"'
    match case.tag:
        case "":
            return head + "/>"
        case "system-out":
            return f"{head}><system-out>{_text(case.text)}</system-out></testcase>"
        case "skipped":
            return f"{head}><skipped message={_attr(case.message)}/></testcase>"
    return (
        f"{head}><{case.tag} type={_attr(case.kind)} message={_attr(case.message)}>"
        f"{_text(case.text)}</{case.tag}></testcase>"
    )


def _attr(text: str) -> str:
    return quoteattr(xml_text(text))


def _text(text: str) -> str:
    return xml_text(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")

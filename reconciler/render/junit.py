"""Problems and drift as JUnit XML, for the test pages of CI systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.sax.saxutils import quoteattr

from reconciler.model import Drift, DriftFinding, DriftStatus, Problem, Severity
from reconciler.render import Stamp
from reconciler.render.characters import xml_text
from reconciler.render.wording import DRIFT_MEANING, IS_DRIFT, field_sentences, unset_sentences


@dataclass(frozen=True, slots=True)
class _Case:
    """One test case. `tag` is failure, error or skipped, or empty for one that passed."""

    suite: str
    name: str
    tag: str = ""
    kind: str = ""
    message: str = ""
    text: str = ""


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
        in_sync = "system-out" if finding.unset else ""
        tag = in_sync if status is DriftStatus.IN_SYNC else "skipped"
    message = finding.message or DRIFT_MEANING[status]
    place = [str(finding.origin)] if finding.origin else []
    told = [*field_sentences(finding.fields), *unset_sentences(finding.unset)]
    return _Case(
        suite=finding.address.kind.value,
        name=str(finding.address),
        tag=tag,
        kind=status.value,
        message=message,
        text="\n".join([*place, f"{message} ({finding.evidence})", *told]),
    )


def _document(cases: Sequence[_Case], category: str, stamp: Stamp) -> str:
    """The strictest reader in use (Jenkins) allows no `skipped` on the root, and no file or line on a case."""
    name = f"reconciler {category} {stamp.project}/{stamp.environment}"
    when = stamp.created_at.removesuffix("Z")
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites name={_attr(name)} {_counts(cases)}>"]
    for suite, group in groupby(cases, key=lambda case: case.suite):
        members = list(group)
        skipped = sum(case.tag == "skipped" for case in members)
        head = f'  <testsuite name={_attr(suite)} {_counts(members)} skipped="{skipped}" timestamp={_attr(when)}>'
        lines += [head, *map(_case, members), "  </testsuite>"]
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _counts(cases: Sequence[_Case]) -> str:
    failures = sum(case.tag == "failure" for case in cases)
    errors = sum(case.tag == "error" for case in cases)
    return f'tests="{len(cases)}" failures="{failures}" errors="{errors}" time="0"'


def _case(case: _Case) -> str:
    head = f'    <testcase classname={_attr(case.suite)} name={_attr(case.name)} time="0"'
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

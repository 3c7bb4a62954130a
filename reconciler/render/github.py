"""Problems and drift as GitHub workflow commands, which GitHub shows beside the line they are about."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.resource import Problem
from reconciler.render.wording import DRIFT_MEANING, field_sentences, finding_words

_LEVEL = {status: "error" for status in DriftStatus if status.is_drift} | {
    DriftStatus.UNREADABLE: "warning",
    DriftStatus.PENDING: "notice",
}


def problems(problems: Sequence[Problem]) -> str:
    """One annotation a problem, in file order; nothing at all where there are none."""
    return "".join(
        annotation(
            problem.severity.value,
            f"{problem.address}: {problem.message}" if problem.address else problem.message,
            path=problem.path,
            line=problem.line,
            column=problem.column,
            title=problem.code,
        )
        for problem in sorted(problems)
    )


def drift(drift: Drift) -> str:
    """One annotation for each resource that drifted, cannot be read, or is pending."""
    return "".join(
        annotation(
            _LEVEL[finding.status],
            "; ".join([finding_words(finding) or DRIFT_MEANING[finding.status], *field_sentences(finding.fields)]),
            path=finding.origin.path if finding.origin else "",
            line=finding.origin.line if finding.origin else 0,
            column=0,
            title=f"{finding.status}: {finding.address}{_made_by(finding)}",
        )
        for finding in drift.findings
        if finding.status in _LEVEL
    )


def _made_by(finding: DriftFinding) -> str:
    """Which item of `forEach` declares it, where one does."""
    return f" [{finding.origin.item}]" if finding.origin is not None and finding.origin.item else ""


def annotation(level: str, message: str, *, path: str, line: int, column: int, title: str) -> str:
    """`::error file=…,line=…,col=…,title=…::message`, escaped as GitHub's runner unescapes it, with a line end."""
    place = {"file": path, "line": max(line, 0), "col": max(column, 0)} if path else {}
    properties = {**place, "title": title}
    given = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value)
    return f"::{level} {given}::{_data(message)}\n"


def _data(text: str) -> str:
    text = text.encode(errors="backslashreplace").decode()
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

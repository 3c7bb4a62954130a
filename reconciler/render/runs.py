"""`history` as text and as a JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from reconciler.render import FORMAT_VERSION, Stamp
from reconciler.render.text.sheet import Sheet


class Owner(Protocol):
    """Who ran, as the ledger keeps it."""

    @property
    def user(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def pid(self) -> int: ...
    @property
    def ci_link(self) -> str: ...


class Run(Protocol):
    """One run, as the ledger keeps it."""

    @property
    def id(self) -> str: ...
    @property
    def owner(self) -> Owner: ...
    @property
    def commit(self) -> str: ...
    @property
    def plan_digest(self) -> str: ...
    @property
    def command(self) -> str: ...
    @property
    def started(self) -> str: ...
    @property
    def finished(self) -> str: ...
    @property
    def result(self) -> str: ...
    @property
    def summary(self) -> Mapping[str, Any] | None: ...


def text(runs: Sequence[Run], *, width: int, color: bool, encoding: str = "utf-8") -> str:
    """A block a run, newest first: when and what, then who and from which commit."""
    sheet = Sheet(width=width, color=color, encoding=encoding)
    if not runs:
        sheet.paragraph("Nothing was applied yet.")
    for run in runs:
        counts = ", ".join(f"{count} {word}" for word, count in (run.summary or {}).items())
        sheet.heading("", [run.started, run.command, run.result or "did not finish", counts])
        who = f"{run.owner.user} on {run.owner.host}" + (f", {run.owner.ci_link}" if run.owner.ci_link else "")
        sheet.paragraph(f"commit {run.commit or 'unknown'}, by {who}", indent=4)
    return sheet.text()


def document(runs: Sequence[Run], stamp: Stamp) -> dict[str, Any]:
    """The same as a JSON document."""
    return {
        "format_version": FORMAT_VERSION,
        "reconciler_version": stamp.reconciler_version,
        "project": stamp.project,
        "environment": stamp.environment,
        "created_at": stamp.created_at,
        "runs": [
            {
                "id": run.id,
                "command": run.command,
                "started": run.started,
                "finished": run.finished or None,
                "result": run.result or None,
                "summary": dict(run.summary or {}),
                "commit": run.commit or None,
                "plan_digest": run.plan_digest or None,
                "user": run.owner.user,
                "host": run.owner.host,
                "ci_link": run.owner.ci_link or None,
            }
            for run in runs
        ],
    }

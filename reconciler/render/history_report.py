"""`history` as text and as a JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.model.outcome import Done, RunRecord, Status
from reconciler.render import Screen, Stamp
from reconciler.render.json_ import Document, header
from reconciler.render.signs import ACTION_STYLE, STATUS_STYLE
from reconciler.render.text.text_page import TextPage
from reconciler.render.wording import short_commit

_FEW = 10
_PLAIN = ("·", ".", "dim")
_ACTION_STYLE = {action.value: style for action, style in ACTION_STYLE.items()}


def text(
    runs: Sequence[RunRecord],
    changes: Mapping[str, Sequence[Done]],
    screen: Screen,
    *,
    verbose: bool = False,
) -> str:
    """A block a run, newest first: when and what, who and from which commit, then its changes, by run id.

    More than ten changes are counted, unless `verbose`; what did not go well is always shown.
    """
    page = TextPage(screen)
    if not runs:
        page.paragraph("Nothing was applied yet.")
    for run in runs:
        counts = ", ".join(f"{count:,} {word}" for word, count in (run.summary or {}).items())
        page.heading("", [run.started, run.command, run.result or "did not finish", counts])
        who = f"{run.owner.user} on {run.owner.host}" + (f", {run.owner.ci_link}" if run.owner.ci_link else "")
        page.paragraph(f"commit {short_commit(run.commit)}, by {who}", indent=4)
        done = changes.get(run.id, ())
        shown = [one for place, one in enumerate(done) if verbose or place < _FEW or one.status != "applied"]
        for one in shown:
            bad = one.status != "applied"
            sign = page.sign(STATUS_STYLE[Status.FAILED]) if bad else page.sign(_ACTION_STYLE.get(one.action, _PLAIN))
            said = f": {one.detail}" if bad and one.detail else ""
            page.paragraph(
                f"{one.action} {one.address}{f', {one.status}{said}' if bad else ''}", indent=4, lead=f"{sign} "
            )
        if len(shown) < len(done):
            page.paragraph(f"and {len(done) - len(shown):,} more, applied: -v shows them", indent=4)
    return page.text()


def document(runs: Sequence[RunRecord], changes: Mapping[str, Sequence[Done]], stamp: Stamp) -> Document:
    """The same as a JSON document."""
    return header(stamp) | {
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
                "changes": [
                    {"address": one.address, "action": one.action, "status": one.status, "detail": one.detail}
                    for one in changes.get(run.id, ())
                ],
            }
            for run in runs
        ],
    }

"""The commands that read and write nothing: `plan`, `drift`, `show`."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Duration, OutFile, format_option, pass_session, selectors
from reconciler.cli.session import Session, harmless
from reconciler.model.condition import Drift, DriftStatus
from reconciler.model.plan import Finding, Plan, Reason
from reconciler.render import Stamp

if TYPE_CHECKING:
    from reconciler.selection import Selection


@click.command()
@click.option("--out", type=OutFile(), help="Save the plan for `apply FILE`.")
@click.option(
    "--expires", type=Duration(), default="24h", show_default=True, help="How long until a saved plan expires."
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when changes are pending.")
@click.option("--max-bytes", type=int, default=65_000, show_default=True, help="At most so much Markdown.")
@format_option("text", "json", "markdown", "html")
@selectors
@pass_session
def plan(
    session: Session,
    out: Path | None,
    expires: timedelta,
    detailed_exitcode: bool,
    max_bytes: int,
    form: str,
    selection: Selection,
) -> int:
    """Show what apply would change. Writes nothing, but the file of `--out`.

    What is risky comes first, what is alike is one block with its count; -v writes each change out.
    Exit 0, or with --detailed-exitcode 2 when changes are pending; 1 when something could not be read; 3 when something
    is blocked.
    """
    from reconciler.workflow import planning
    from reconciler.workflow.context import PlanOptions

    options = PlanOptions(selection)
    with session.reading():
        if out is None:
            found = planning.plan(session.context(), options)
        else:
            from reconciler.workflow import saved

            found = saved.plan_to_file(session.context(), options, out, expires)
    session.show(render_plan(session, found.plan, form, found.refusals, max_bytes=max_bytes))
    if form == "text" and out is None and found.plan.changes and not found.refusals:
        session.say("next: `reconciler apply` asks, then applies it; `--only PATTERN` narrows it, -v writes all out")
    if out is not None:
        does = "does nothing, since it is refused" if found.refusals else "does exactly this, once, until it expires"
        session.say(f"saved to {out}: `reconciler apply {out}` {does}")
    return plan_exit(found.plan, found.refusals, detailed=detailed_exitcode)


def render_plan(
    session: Session,
    plan: Plan,
    form: str,
    refusals: tuple[Finding, ...] = (),
    *,
    max_bytes: int = 65_000,
    stamp: Stamp | None = None,
) -> str:
    """A plan in one of its formats. Why it is refused stands among the warnings.

    `stamp` is that of a saved plan, which was perhaps made elsewhere: it leads to no manifest.
    """
    from reconciler.model.copies import replace

    is_saved = stamp is not None
    stamp = stamp or session.stamp_for(plan.project, plan.environment)
    shown = replace(plan, warnings=tuple(sorted({*plan.warnings, *refusals})))
    match form:
        case "json":
            from reconciler.render import json_

            return json_.dumps(json_.plan_document(shown, stamp))
        case "markdown":
            from reconciler.render import markdown

            return markdown.plan(shown, stamp, max_bytes=max_bytes)
        case "html":
            from reconciler.render import html

            return html.plan(shown, stamp) if is_saved else html.plan(shown, stamp, session.links())
        case _:
            from reconciler.render.text import plan_text

            return plan_text.plan(shown, session.screen, verbose=session.verbose)


def plan_exit(plan: Plan, refusals: tuple[Finding, ...], *, detailed: bool) -> int:
    """What could not be read comes first, since it makes the answer incomplete; then what is blocked; then changes."""
    if is_incomplete(plan):
        return 1
    if refusals or plan.blocked:
        return 3
    return 2 if detailed and plan.changes else 0


def is_incomplete(plan: Plan) -> bool:
    """Whether something could not be read, so that nobody knows what the plan leaves out."""
    return any(one.reason is Reason.UNREADABLE for one in plan.blocked) or any(
        finding.code == "unreadable" for finding in plan.warnings
    )


@click.command()
@format_option("text", "json", "markdown", "html", "sarif", "junit")
@selectors
@pass_session
def drift(session: Session, form: str, selection: Selection) -> int:
    """Audit live against what was last applied. Writes nothing.

    Exit 2 when something drifted: it was changed, or deleted, outside this project. Exit 1 when something could not be
    read. What only the manifest changed is pending, and no drift.
    """
    from reconciler.workflow import planning

    with session.reading():
        found = planning.drift(session.context(), selection)
    session.show(_drift(session, found, form))
    statuses = {finding.status for finding in found.findings}
    if DriftStatus.UNREADABLE in statuses:
        return 1
    return 2 if any(status.is_drift for status in statuses) else 0


def _drift(session: Session, found: Drift, form: str) -> str:
    if form == "text":
        from reconciler.render.text import drift_text

        return drift_text.drift(found, session.screen, verbose=session.verbose)
    stamp = session.stamp_for(found.project, found.environment)
    if form == "json":
        from reconciler.render import json_

        return json_.dumps(json_.drift_document(found, stamp))
    if form == "html":
        from reconciler.render import html

        return html.drift(found, stamp, session.links())
    return str(import_module(f"reconciler.render.{form}").drift(found, stamp))


@click.command()
@click.argument("planfile", type=click.Path(path_type=Path))
@format_option("text", "json", "markdown", "html")
@click.option("--max-bytes", type=int, default=65_000, show_default=True, help="At most so much Markdown.")
@pass_session
def show(session: Session, planfile: Path, form: str, max_bytes: int) -> None:
    """Render a saved plan. It needs no project, no network and no ledger."""
    import reconciler.kinds.registry  # noqa: F401  # an address is read by its kind
    from reconciler import planfile as files
    from reconciler.render.wording import short_commit

    file = files.read(planfile)
    saved = file.open()
    made = Stamp(saved.reconciler_version, saved.plan.project, saved.plan.environment, saved.created_at)
    session.show(render_plan(session, saved.plan, form, max_bytes=max_bytes, stamp=made))
    if form == "text":
        end = f"was used at {file.used_at}" if file.used_at else f"expires at {saved.expires_at}"
        session.say(harmless(f"made {saved.created_at} from commit {short_commit(saved.commit)}, {end}"))

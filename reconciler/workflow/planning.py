"""Reads manifests, ledger and products, and makes the plan or the audit. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from reconciler import guards, manifests, planner
from reconciler.causes import Cause, because
from reconciler.errors import ProductError, Unauthorised, UsageError
from reconciler.kind import AttestedKind, LicenceCount, Product
from reconciler.kinds.registry import KINDS
from reconciler.model.condition import Drift
from reconciler.model.copies import replace
from reconciler.model.entry import AdoptedId, Memory
from reconciler.model.live import Live
from reconciler.model.plan import Action, Finding, Plan
from reconciler.model.project import Project
from reconciler.model.resource import Desired
from reconciler.observe import busy_agents
from reconciler.products import Products
from reconciler.quantities import first_few
from reconciler.secrecy import secrecy_of
from reconciler.selection import Selection, select, to_resend
from reconciler.suggestion import Suggestions
from reconciler.workflow.completion import complete, with_needs
from reconciler.workflow.context import CommandContext, PlanOptions
from reconciler.workflow.input_diffstat import with_row_counts
from reconciler.workflow.memory import Remembered
from reconciler.workflow.reading import Sources, reading
from reconciler.workflow.refresh import refresh

_MOST_NAMED = 10
SOON = timedelta(days=30)
"""How long before a token, a key or a licence ends it is spoken of."""


class Planned(Struct, frozen=True):
    """A plan with what it was made from. `refusals` are the guards' reasons why it must not run."""

    inputs: planner.PlanInputs
    plan: Plan
    refusals: tuple[Finding, ...]
    licence: LicenceCount | None

    @property
    def desired(self) -> Desired:
        return self.inputs.desired


def plan(context: CommandContext, options: PlanOptions) -> Planned:
    """Read live and memory, and decide. Writes nothing."""
    everything = options.selection.is_everything and not options.gone_agents
    with reading(context, everything=everything) as found:
        return decide(context, options, found)


def decide(context: CommandContext, options: PlanOptions, sources: Sources) -> Planned:
    """Read live, and decide."""
    return decide_from(read_inputs(context, options, sources), options, sources.products)


def decide_from(inputs: planner.PlanInputs, options: PlanOptions, products: Products) -> Planned:
    """Decide from what was read. Of the products only that is asked which nothing but a decision needs.

    Whether an agent is busy that may be sent files; and what is left of the licence, where something is to be started.
    """
    inputs = replace(inputs, busy=_busy(inputs, products))
    desired = inputs.desired
    made = planner.plan(inputs, KINDS)
    licence: LicenceCount | None = None
    left: int | None = None
    if made.count(Action.START):
        licence, left, problem = _licence(products)
        if problem:
            inputs = replace(inputs, product_problems={Product.MFT: problem})
            made = planner.plan(inputs, KINDS)
    made = with_row_counts(made, inputs)
    if expiring := expiring_token(desired.project, inputs.as_of):
        made = replace(made, warnings=tuple(sorted({*made.warnings, expiring})))
    refusals = (
        ()
        if options.destroy
        else guards.refusals(made, desired.project.policy, allowed_deletes=options.max_deletes, starts_left=left)
    )
    if made.changes or desired.project.blackouts:
        from reconciler.calendar import schedule_checks

        ahead = schedule_checks.of_plan(inputs, made)
        made = replace(made, warnings=tuple(sorted({*made.warnings, *ahead.warnings})))
        refusals = (*refusals, *ahead.refusals)
    return Planned(inputs, made, refusals, licence)


def read_inputs(context: CommandContext, options: PlanOptions, sources: Sources) -> planner.PlanInputs:
    """All that is judged: the agents of what is wanted, and the files that manifests name. Nothing else is asked."""
    as_of = context.clock()
    desired, remembered = sources.desired, sources.remembered
    selected = select(desired.resources, options.selection)
    wanted = with_needs(desired, selected)
    gone = _gone(desired, remembered, options)
    known = {path: handle for path, handle in remembered.agent_paths.items() if path not in gone}
    found = refresh(context, replace(sources, remembered=replace(remembered, agent_paths=known)), wanted, as_of=as_of)
    desired, live = found.desired, found.live
    desired = _with_secrets_of_live(desired, found.memory, live, sources.products)
    desired = complete(desired, wanted, remembered.seal, found.memory.entries, KINDS)
    return planner.PlanInputs(
        desired=desired,
        live=live,
        memory=found.memory,
        complete=wanted,
        as_of=as_of,
        seal=remembered.seal,
        selected=selected,
        agent_paths=remembered.agent_paths,
        gone_agents=gone,
        accepts_new_ledger=options.accepts_new_ledger,
        destroy=options.destroy,
        resend=to_resend(desired.resources, selected, options.resend, KINDS),
        identities=found.identities,
        environment_ids=_ids_in_same_acc(context, desired, found.memory),
    )


def _ids_in_same_acc(context: CommandContext, desired: Desired, memory: Memory) -> Mapping[str, AdoptedId]:
    """The declared ids that an environment which looks at the same ACC has adopted, by id.

    Between two ACCs an id means two schedules; within one it means one, whose agent only one environment has.
    """
    declared = {one.identity for one in desired.resources if one.adopted}
    project = desired.project
    known = {*project.environments, "default"}
    shared = [one for one in memory.environment_ids if one.identity in declared and one.environment in known]
    if not shared:
        return {}
    urls = {
        name: manifests.acc_url(context.root, name, context.environ)
        for name in {project.environment, *(one.environment for one in shared)}
    }
    here = urls[project.environment]
    return {one.identity: one for one in shared if here and urls[one.environment] == here}


def _gone(desired: Desired, remembered: Remembered, options: PlanOptions) -> frozenset[str]:
    """The agents that the caller gives up. Raises UsageError for one that is declared, or that nothing is known of."""
    if options.gone_agents and not options.selection.is_everything:
        raise UsageError(
            "--forget-agent is about what no manifest declares, and selectors leave that out",
            hint="give --forget-agent without --only, --exclude and --label",
        )
    for path in options.gone_agents:
        declared = next((agent for agent in desired.agents if agent.path.casefold() == path.casefold()), None)
        if declared is not None:
            raise UsageError(f"{path} is declared, at {declared.origin}", hint="remove its document first")
        if path not in remembered.agent_paths:
            near = Suggestions(remembered.agent_paths).nearest(path)
            known = first_few(sorted(remembered.agent_paths), _MOST_NAMED) or "no agent"
            hint = f"did you mean {near}?" if near else f"it knows {known}"
            raise UsageError(f"the ledger does not know {path}", hint=hint)
    return frozenset(options.gone_agents)


def _with_secrets_of_live(desired: Desired, memory: Memory, live: Live, products: Products) -> Desired:
    """The same, with the secrets that no manifest knows any more, but live still shows at a path that was secret."""
    hidden = secrecy_of(desired.resources, memory.entries.values())
    by_id = [(one.identity, one.state) for view in live.agents.values() for one in view.things]
    shown = hidden.values_of(by_id)
    products.hide(shown | hidden.values_in_doubt(by_id))
    return replace(desired, secret_values=desired.secret_values | shown) if shown else desired


def _busy(inputs: planner.PlanInputs, products: Products) -> frozenset[str]:
    """Agents with an active run, asked only where a set of files could be replaced, or a run may take files away."""
    in_question = [
        resource.agent_path
        for resource in inputs.desired.resources
        if resource.address in inputs.complete
        if isinstance(kind := KINDS[resource.address.kind], AttestedKind)
        if kind.needs_idle_agent(resource.state, inputs.memory.entries.get(resource.address))
    ]
    return busy_agents(products.acc, inputs.live, in_question) if in_question else frozenset()


def _licence(products: Products) -> tuple[LicenceCount | None, int | None, str]:
    """The licence's task-execution counter, what is left of it, and the problem where MFT cannot be read at all.

    A key that may start tasks need not be allowed to see the licence; then nothing is known, and nothing is refused.
    """
    try:
        found = products.mft.license()
    except Unauthorised:
        return None, None, ""
    except ProductError as error:
        return None, None, error.words
    return LicenceCount(found.executions, found.executions_limit), found.executions_left, ""


def drift(context: CommandContext, selection: Selection) -> Drift:
    """Audit: how live stands to what was last applied. Writes nothing, and reads no more than it judges."""
    with reading(context, everything=selection.is_everything) as found:
        inputs = read_inputs(context, PlanOptions(selection), found)
    return planner.audit(inputs, KINDS)


def expiring_token(project: Project, now: datetime) -> Finding | None:
    """A warning for every plan while the ACC token runs out within a month; None when it does not, or does not say."""
    from reconciler.clients.auth import token_expiry

    connection = project.connections.get("acc")
    expiry = token_expiry(connection.settings.get("token", "")) if connection is not None else None
    if expiry is None or expiry - now > SOON:
        return None
    cause = Cause.ACCESS_ENDED if expiry <= now else Cause.ACCESS_ENDS
    return Finding("token-expires", "", because(cause, day=f"{expiry:%Y-%m-%d}"))

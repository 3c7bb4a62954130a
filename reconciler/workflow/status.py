"""sync x health x last run x next run, of every schedule and trigger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from msgspec import Struct

from reconciler import planner
from reconciler.causes import redacted
from reconciler.kind import Examined, Unanswered
from reconciler.kinds.registry import KINDS
from reconciler.model.condition import Drift, DriftStatus, Health, ResourceStatus
from reconciler.model.plan import Finding, Unchanged, Visibility
from reconciler.model.resource import Resource
from reconciler.products import Products
from reconciler.selection import Selection
from reconciler.workflow.context import CommandContext, PlanOptions
from reconciler.workflow.memory import read
from reconciler.workflow.planning import read_inputs
from reconciler.workflow.reading import Sources, load


class Status(Struct, frozen=True):
    """What `status` shows, worst first. `incomplete`: something could not be read, so it may be worse than it looks.

    `attested` counts what no product shows and what needs no change. `warnings` are about no single resource.
    `filtered`: only what was selected is in sight.
    """

    project: str
    environment: str
    rows: tuple[ResourceStatus, ...]
    incomplete: bool = False
    attested: tuple[Unchanged, ...] = ()
    warnings: tuple[Finding, ...] = ()
    filtered: bool = False


def status(context: CommandContext, selection: Selection) -> Status:
    """Read live, memory, and what the products say of the health of each resource. Writes nothing."""
    desired = load(context)
    memory = read(context, desired.project)
    with Products(desired.project, desired.secret_values, context.stop, context.clock) as products:
        inputs = read_inputs(context, PlanOptions(selection), Sources(desired, memory, products))
        answers = read_answers(context, inputs, products)
        return status_from(inputs, planner.audit(inputs, KINDS), answers, products.redact)


def status_from(inputs: planner.PlanInputs, audit: Drift, answers: Answers, redact: Callable[[str], str]) -> Status:
    """The status by what was read: the audit of `inputs`, and the products' answers to the questions of its kinds."""
    syncs = {one.address: one.status for one in audit.findings}
    is_lost = planner.loss_of(inputs) is not planner.LedgerLoss.NONE  # looks at all that is live: once for all rows
    rows = [
        _row(resource, inputs, syncs.get(resource.address, DriftStatus.PENDING), answers, redact, is_lost=is_lost)
        for resource in _in_sight(inputs)
    ]
    shown = [row for row in rows if row is not None]
    order = list(Health)
    shown.sort(key=lambda row: (order.index(row.health), row.address))
    # Also of what has no row: an approval that no product shows is still of an agent that was not found to be there.
    unread = any(one.status is DriftStatus.UNREADABLE for one in audit.findings)
    return Status(
        audit.project,
        audit.environment,
        tuple(shown),
        incomplete=unread or any(map(is_unread, answers.values())),
        attested=tuple(one for one in audit.unchanged if KINDS[one.kind].visibility is Visibility.ATTESTED),
        warnings=audit.warnings,
        filtered=inputs.selected is not None,
    )


def _in_sight(inputs: planner.PlanInputs) -> Iterator[Resource]:
    """The resources that have a health, of those that the selectors leave."""
    for resource in inputs.desired.resources:
        is_selected = inputs.selected is None or resource.address in inputs.selected
        if is_selected and KINDS[resource.address.kind].has_health:
            yield resource


Question: TypeAlias = tuple[str, str]
"""A kind, and what it asks its product; resources with one question share the answer."""

Answers: TypeAlias = Mapping[Question, object]
"""What the products said; None where nobody could ask any more, or there is no answer."""


def _question(resource: Resource, inputs: planner.PlanInputs) -> Question | None:
    kind = KINDS[resource.address.kind]
    view, entry = inputs.live.agents.get(resource.agent_path), inputs.memory.entries.get(resource.address)
    asked = kind.question(resource, view, entry)
    return (kind.name, asked) if asked else None


def read_answers(context: CommandContext, inputs: planner.PlanInputs, products: Products) -> Answers:
    """What the products say to all questions, asked side by side."""
    asked = sorted({question for one in _in_sight(inputs) if (question := _question(one, inputs)) is not None})
    hidden = planner.secrecy(inputs)

    def hide(identity: str, parameters: Mapping[str, str] | None) -> None:
        products.hide(hidden.values_of_runs([(identity, parameters)]))

    def answer(question: Question) -> object:
        kind = KINDS[question[0]]
        return None if context.stop.is_set() else kind.ask(products.client(kind.product), question[1], hide)

    answers: dict[Question, object] = {}
    for product in sorted({KINDS[name].product for name, _ in asked}):
        mine = [one for one in asked if KINDS[one[0]].product is product]
        with ThreadPoolExecutor(products.connection(product.value).concurrency) as pool:
            for number, (question, said) in enumerate(zip(mine, pool.map(answer, mine), strict=True), 1):
                answers[question] = said
                context.progress("reading runs", number, len(mine))
    return answers


def is_unread(answer: object) -> bool:
    """Whether a product could not be asked; that it knows of no such thing is an answer."""
    return answer is None or (isinstance(answer, Unanswered) and not answer.is_missing)


def _row(
    resource: Resource,
    inputs: planner.PlanInputs,
    sync: DriftStatus,
    answers: Answers,
    redact: Callable[[str], str],
    *,
    is_lost: bool,
) -> ResourceStatus | None:
    question = _question(resource, inputs)
    said = KINDS[resource.address.kind].health(
        Examined(
            resource=resource,
            observation=inputs.live.observation(resource),
            entry=inputs.memory.entries.get(resource.address),
            answer=None if question is None else answers.get(question),
            as_of=inputs.as_of,
            is_lost=is_lost,
            redact=redact,
        )
    )
    if said is None:
        return None
    return ResourceStatus(
        resource.address,
        sync,
        said.health,
        said.last_run,
        said.next_run,
        said.predicted,
        tuple(redacted(note, redact) for note in said.notes),
        said.in_doubt,
    )

"""The decision table for schedules, row by row: declared x live x memory -> verdict."""

from __future__ import annotations

from typing import Any

import pytest
from planner_stage import (
    FOREIGN,
    PATH,
    at,
    declared,
    inputs,
    only_block,
    only_change,
    path_of,
    planned,
    remembered,
    seen,
    state_after,
    views,
)

from reconciler import planner
from reconciler.identity import owned_id
from reconciler.kinds.registry import KINDS
from reconciler.kinds.schedule_state import ScheduleState
from reconciler.model.condition import DriftStatus
from reconciler.model.copies import replace
from reconciler.model.plan import Action, Change, Reason
from reconciler.model.project import Policy
from reconciler.render.reasons import words

NIGHTLY = at("schedule/prices/nightly")
EDITED = {"cron": "0 0 3 * * MON-FRI"}


def test_an_unreadable_agent_blocks_what_is_declared_there_and_nothing_else() -> None:
    other = declared(agent="stock")
    plan = planned([declared(), other], views(problem="GET … answered 503") | views(agent="stock"))
    assert [(str(one.address), one.reason, words(one.why)) for one in plan.blocked] == [
        ("schedule/prices/nightly", Reason.UNREADABLE, "GET … answered 503")
    ]
    assert [(str(one.address), one.action) for one in plan.changes] == [("schedule/stock/nightly", Action.CREATE)]


def test_an_agent_that_was_not_looked_at_is_unreadable() -> None:
    assert only_block(planned([declared()], {})).reason is Reason.UNREADABLE


@pytest.mark.parametrize("remember", [False, True], ids=["unknown", "adopted, and the path of its agent was edited"])
def test_an_id_that_another_agent_has_is_not_written_to(remember: bool) -> None:
    # The call that adds a schedule also updates by id: it would change, or move, what the other agent has.
    moved = declared(identity=FOREIGN, adopted=True)
    entries = [replace(remembered(moved, seen(FOREIGN)), agent_path=path_of("stock"))] if remember else []
    plan = planned([moved, declared(agent="stock")], views() | views(seen(FOREIGN), agent="stock"), entries)
    assert [(str(one.address), one.reason) for one in plan.blocked] == [("schedule/prices/nightly", Reason.UNOWNED)]
    assert path_of("stock") in words(plan.blocked[0].why)
    assert [str(one.address) for one in plan.changes] == ["schedule/stock/nightly"]


def test_declared_and_absent_is_new() -> None:
    change = only_change(planned([declared()]))
    assert (change.action, change.reason) == (Action.CREATE, Reason.NEW)
    assert change.identity == owned_id("retail", "default", PATH, "nightly")
    assert (change.basis, change.before) == ("absent", None)
    after = state_after(change, ScheduleState)
    assert (after.log_level, after.enabled, after.windowless) == (1, True, True)
    assert (after.input_parameters, after.session_id) == ({}, "")
    assert {field.path: field.after for field in change.fields} == {
        "cron": "0 0 2 * * MON-FRI",
        "startTime": "2026-01-01T02:00:00",
        "timeZone": "AUS Eastern Standard Time",
        "logLevel": 1,
        "windowless": True,
        "enabled": True,
    }


def test_declared_absent_and_remembered_has_vanished() -> None:
    resource = declared()
    change = only_change(planned([resource], entries=[remembered(resource)]))
    assert (change.action, change.reason) == (Action.CREATE, Reason.VANISHED)


def test_declared_absent_and_unsettled_was_interrupted() -> None:
    resource = declared()
    change = only_change(planned([resource], entries=[remembered(resource, settled=False)]))
    assert (change.action, change.reason) == (Action.CREATE, Reason.INTERRUPTED)


def test_equal_without_memory_is_adopted_and_nothing_is_sent() -> None:
    resource = declared()
    change = only_change(planned([resource], views(seen(of=resource))))
    assert (change.action, change.reason, change.action.is_remote) == (Action.ADOPT, Reason.NEW, False)
    assert change.before == change.after


def test_equal_and_settled_is_unchanged() -> None:
    resource = declared()
    plan = planned([resource], views(seen(of=resource)), [remembered(resource)])
    assert (plan.changes, plan.blocked, plan.unchanged) == ((), (), 1)


def test_equal_and_unsettled_is_adopted_after_an_interruption() -> None:
    resource = declared()
    change = only_change(planned([resource], views(seen(of=resource)), [remembered(resource, settled=False)]))
    assert (change.action, change.reason) == (Action.ADOPT, Reason.INTERRUPTED)


def test_a_foreign_schedule_that_differs_is_not_ours_to_change() -> None:
    resource = declared(identity=FOREIGN, adopted=True)
    blocked = only_block(planned([resource], views(seen(of=resource, cron="0 0 9 * * *"))))
    assert blocked.reason is Reason.UNOWNED
    assert FOREIGN in words(blocked.why)
    assert "cron" in words(blocked.why)


def test_a_foreign_schedule_that_is_equal_is_adopted_and_then_ours() -> None:
    resource = declared(identity=FOREIGN, adopted=True)
    change = only_change(planned([resource], views(seen(of=resource))))
    assert change.action is Action.ADOPT
    edited = declared(identity=FOREIGN, adopted=True, spec=EDITED)
    change = only_change(planned([edited], views(seen(of=resource)), [remembered(resource)]))
    assert (change.action, change.reason, change.identity) == (Action.UPDATE, Reason.EDITED, FOREIGN)


def test_an_adopted_schedule_stays_ours_when_its_document_is_renamed() -> None:
    before = declared(identity=FOREIGN, adopted=True)
    renamed = replace(declared(identity=FOREIGN, adopted=True, spec=EDITED), address=at("schedule/renamed/nightly"))
    plan = planned([renamed], views(seen(of=before)), [remembered(before)])
    change = only_change(plan)
    assert (str(change.address), change.action, change.reason) == (
        "schedule/renamed/nightly",
        Action.UPDATE,
        Reason.EDITED,
    )


@pytest.mark.parametrize(
    ("words", "live", "reason"),
    [
        ({}, {}, Reason.EDITED),
        (EDITED, {"cron": "0 0 9 * * *"}, Reason.DRIFTED),
        ({}, {"cron": "0 0 9 * * *"}, Reason.DIVERGED),
    ],
)
def test_why_live_differs(words: dict[str, str], live: dict[str, str], reason: Reason) -> None:
    """The manifest says 03:00. `words` is what it said when it was applied, `live` what somebody did by hand."""
    resource, earlier = declared(spec=EDITED), declared(spec=words)
    entry = remembered(earlier)
    change = only_change(planned([resource], views(seen(of=earlier, **live)), [entry]))
    assert (change.action, change.reason) == (Action.UPDATE, reason)


def test_a_hand_made_change_to_a_field_that_nobody_declared_before_is_no_divergence() -> None:
    """`applied` knows all fields of live, but only the declared ones were ours."""
    earlier, resource = declared(), declared(spec=EDITED)
    live = seen(of=earlier, logLevel=3)
    assert only_change(planned([resource], views(live), [remembered(earlier)])).reason is Reason.EDITED


def test_what_differs_without_memory_says_so() -> None:
    resource = declared(spec=EDITED)
    change = only_change(planned([resource], views(seen(of=declared()))))
    assert (change.action, change.reason) == (Action.UPDATE, Reason.DIFFERS)


def test_what_differs_and_is_unsettled_was_interrupted() -> None:
    resource = declared(spec=EDITED)
    entry = remembered(declared(), settled=False)
    change = only_change(planned([resource], views(seen(of=declared())), [entry]))
    assert (change.action, change.reason) == (Action.UPDATE, Reason.INTERRUPTED)


@pytest.mark.parametrize(("declares", "live", "action"), [(True, False, Action.ENABLE), (False, True, Action.DISABLE)])
def test_only_enabled_differs(declares: bool, live: bool, action: Action) -> None:
    resource = declared(spec={"enabled": declares})
    change = only_change(planned([resource], views(seen(of=resource, isEnabled=live)), [remembered(resource)]))
    assert change.action is action


def test_enabled_and_something_else_is_one_update() -> None:
    resource = declared(spec={"enabled": False, **EDITED})
    change = only_change(planned([resource], views(seen(of=declared())), [remembered(declared())]))
    assert change.action is Action.UPDATE
    assert [field.path for field in change.fields] == ["cron", "enabled"]


def test_only_declared_fields_change_and_the_rest_is_sent_as_it_is() -> None:
    resource = declared(spec={"enabled": "keep", **EDITED})
    live = seen(of=declared(), logLevel=3, sessionId="1-5/5", inputParameters='{"a": "1"}', isEnabled=False)
    change = only_change(planned([resource], views(live), [remembered(declared())]))
    assert [field.path for field in change.fields] == ["cron"]
    after = state_after(change, ScheduleState)
    rest = (after.log_level, after.session_id, after.input_parameters, after.enabled)
    assert rest == (3, "1-5/5", {"a": "1"}, False)


def test_parameters_that_cannot_be_read_are_not_taken_for_none() -> None:
    resource = declared(spec=EDITED)
    live = seen(of=declared(), inputParameters="no json")
    change = only_change(planned([resource], views(live), [remembered(declared())]))
    after = state_after(change, ScheduleState)
    assert after.input_parameters == "no json"


def test_an_undeclared_owned_schedule_is_deleted() -> None:
    orphan = declared("old")
    plan = planned([declared()], views(seen(of=declared()), seen(of=orphan)), [remembered(declared())])
    change = only_change(plan)
    assert (change.action, change.reason, change.identity) == (Action.DELETE, Reason.REMOVED, orphan.identity)
    assert plan.owned_in_sight == 2


def test_a_remembered_orphan_is_deleted_under_its_own_name() -> None:
    orphan = declared("old")
    change = only_change(planned([], views(seen(of=orphan)), [remembered(orphan)]))
    assert (str(change.address), change.action) == ("schedule/prices/old", Action.DELETE)


def test_an_adopted_schedule_whose_block_is_gone_is_deleted() -> None:
    adopted = declared("legacy", identity=FOREIGN, adopted=True)
    change = only_change(planned([], views(seen(of=adopted)), [remembered(adopted)]))
    assert (change.action, change.identity) == (Action.DELETE, FOREIGN)


def test_an_adopted_schedule_that_its_address_no_longer_means_goes_back_to_its_maker() -> None:
    adopted = declared(identity=FOREIGN, adopted=True)
    plan = planned([declared()], views(seen(of=adopted)), [remembered(adopted)])
    assert only_change(plan).action is Action.CREATE
    assert [one.id for one in plan.unmanaged] == [FOREIGN]


def test_protection_outlives_its_block() -> None:
    protected = declared("old", protect=True)
    blocked = only_block(planned([], views(seen(of=protected)), [remembered(protected)]))
    assert (str(blocked.address), blocked.reason) == ("schedule/prices/old", Reason.PROTECTED)


def test_prune_never_keeps_orphans_and_says_so() -> None:
    orphan = declared("old")
    plan = planned([], views(seen(of=orphan)), policy=Policy(prune="never"))
    assert (plan.changes, plan.blocked, plan.unmanaged) == ((), (), ())
    assert [warning.code for warning in plan.warnings] == ["orphan-kept"]


def test_an_entry_of_what_is_gone_on_both_sides_is_forgotten() -> None:
    change = only_change(planned([], views(), [remembered(declared("old"))]))
    assert (change.action, change.reason, change.action.is_remote) == (Action.FORGET, Reason.REMOVED, False)


def test_an_entry_whose_agent_cannot_be_read_is_not_forgotten() -> None:
    blocked = only_block(planned([], views(problem="down"), [remembered(declared("old"))]))
    assert blocked.reason is Reason.UNREADABLE
    assert words(blocked.why) == f"down. If the agent is gone for good: `reconciler apply --forget-agent {PATH}`"


def test_hand_made_schedules_are_counted_and_nothing_else() -> None:
    other_environment = owned_id("retail", "prod", PATH, "nightly")
    plan = planned([declared()], views(seen(FOREIGN), seen(other_environment), seen(of=declared())), [])
    assert sorted(one.id for one in plan.unmanaged) == sorted([FOREIGN, other_environment])
    assert [change.action for change in plan.changes] == [Action.ADOPT]


def test_an_orphan_may_hide_on_an_agent_that_cannot_be_read() -> None:
    """Nothing declared is blocked there, so a warning has to say it; and nothing is deleted anywhere else."""
    orphan = declared("old")
    live = views(seen(of=orphan)) | views(agent="gone", problem="GET … answered 500")
    plan = planned([], live, agent_paths={"sequentum/Retail/gone": "gone"})
    assert only_change(plan).action is Action.DELETE
    assert [(warning.code, warning.address) for warning in plan.warnings] == [
        ("deletions-withheld", ""),
        ("unreadable", "sequentum/Retail/gone"),
    ]


def test_deletions_are_withheld_while_something_declared_is_unreadable() -> None:
    live = views(seen(of=declared("old"))) | views(agent="stock", problem="down")
    plan = planned([declared(agent="stock")], live)
    assert "schedule/stock/nightly could not be read" in next(
        words(warning.why) for warning in plan.warnings if warning.code == "deletions-withheld"
    )


@pytest.mark.parametrize("facts", [{"server_assigned_ids": [FOREIGN]}, {"stray": FOREIGN}], ids=["now", "before"])
def test_a_server_that_ignored_our_id_is_not_asked_again_while_the_stray_lives(facts: dict[str, Any]) -> None:
    resource = declared()
    entry = remembered(resource, settled=False, facts=facts)
    blocked = only_block(planned([resource], views(seen(FOREIGN)), [entry]))
    assert (blocked.reason, FOREIGN in words(blocked.why)) == (Reason.UNOWNED, True)
    gone = only_change(planned([resource], views(), [entry]))
    assert (gone.action, gone.reason) == (Action.CREATE, Reason.INTERRUPTED)
    taken = declared(identity=FOREIGN, adopted=True)
    assert only_change(planned([taken], views(seen(FOREIGN, of=taken)), [entry])).action is Action.ADOPT


def test_a_server_that_ignores_ids_is_not_asked_for_others_either() -> None:
    resource, other, third = declared(), declared("other"), declared("third", spec=EDITED)
    entries = [remembered(resource, settled=False, facts={"stray": FOREIGN}), remembered(third)]
    live = views(seen(FOREIGN), seen(of=declared("third")))
    plan = planned([resource, other, third], live, entries)
    assert {(one.address.name, one.reason) for one in plan.blocked} == {
        ("nightly", Reason.UNOWNED),
        ("other", Reason.POLICY),
    }
    assert [(change.address.name, change.action) for change in plan.changes] == [("third", Action.UPDATE)]


def test_another_path_is_another_schedule() -> None:
    moved = replace(declared(), agent_path="sequentum/New/prices")
    moved = replace(moved, identity=owned_id("retail", "default", moved.agent_path, "nightly"))
    new = {moved.agent_path: views()[PATH].__class__(moved.agent_path, "id-of-new")}
    plan = planned([moved], views(seen(of=declared())) | new, [remembered(declared())])
    assert [(change.action, change.agent_path) for change in plan.changes] == [
        (Action.CREATE, "sequentum/New/prices"),
        (Action.DELETE, PATH),
    ]


def test_a_need_that_is_blocked_strands_what_needs_it_however_far_down() -> None:
    first = declared("first", agent="stock")
    second = declared("second", needs=(first.address,))
    third = declared("third", needs=(second.address,))
    plan = planned([first, second, third], views() | views(agent="stock", problem="down"))
    assert plan.changes == ()
    assert [(one.address.name, one.reason) for one in plan.blocked] == [
        ("second", Reason.STRANDED),
        ("third", Reason.STRANDED),
        ("first", Reason.UNREADABLE),
    ]
    assert "schedule/stock/first" in words(plan.blocked[0].why)


def test_what_needs_no_change_is_not_stranded() -> None:
    first = declared("first", agent="stock")
    second = declared("second", needs=(first.address,))
    live = views(seen(of=second)) | views(agent="stock", problem="down")
    plan = planned([first, second], live, [remembered(second)])
    assert plan.unchanged == 1
    assert [one.address.name for one in plan.blocked] == ["first"]


def test_a_filtered_plan_changes_only_what_is_selected_and_prunes_nothing() -> None:
    other, orphan = declared("other"), declared("old")
    live = views(seen(of=orphan), seen(FOREIGN))
    plan = planned([declared(), other], live, [remembered(declared("gone"))], selected=frozenset({NIGHTLY}))
    assert [change.address for change in plan.changes] == [NIGHTLY]
    assert (plan.filtered, plan.blocked, plan.unchanged) == (True, (), 0)


def test_destroy_deletes_all_that_is_ours_and_leaves_the_rest() -> None:
    adopted = declared("legacy", identity=FOREIGN, adopted=True)
    never_applied = declared("shared", identity="11111111-2222-4333-8444-555555555555", adopted=True)
    protected = declared("kept", protect=True)
    live = views(seen(of=declared()), seen(of=adopted), seen(of=never_applied), seen(of=protected))
    resources = [declared(), adopted, never_applied, protected]
    plan = planned(resources, live, [remembered(adopted)], destroy=True)
    assert [(str(one.address), one.action) for one in plan.changes] == [
        ("schedule/prices/legacy", Action.DELETE),
        ("schedule/prices/nightly", Action.DELETE),
    ]
    assert [(str(one.address), one.reason) for one in plan.blocked] == [("schedule/prices/kept", Reason.PROTECTED)]
    assert [one.id for one in plan.unmanaged] == [never_applied.identity]


def test_destroy_of_a_selection() -> None:
    live = views(seen(of=declared()), seen(of=declared("other")))
    plan = planned([declared(), declared("other")], live, destroy=True, selected=frozenset({NIGHTLY}))
    assert [change.address for change in plan.changes] == [NIGHTLY]


AT_NINE = seen(of=declared(), cron="0 0 9 * * *")
SECRET = frozenset({"hunter2"})


def test_a_secret_is_marked_by_its_path() -> None:
    resource = declared(
        spec={"inputParameters": {"password": "hunter2", "region": "au"}}, secrets=("inputParameters.password",)
    )
    live = seen(of=resource, inputParameters='{"password": "old", "region": "nz"}')
    change = only_change(planned([resource], views(live), [remembered(resource)], secret_values=SECRET))
    assert {field.path: field.secret for field in change.fields} == {
        "inputParameters.password": True,
        "inputParameters.region": False,
    }


def test_a_secret_is_marked_wherever_live_shows_it() -> None:
    """It moved to another parameter; live still has it in the first one."""
    resource = declared(spec={"inputParameters": {"b": "hunter2"}}, secrets=("inputParameters.b",))
    live = seen(of=resource, inputParameters='{"a": "x hunter2"}')
    change = only_change(planned([resource], views(live), [remembered(resource)], secret_values=SECRET))
    assert {field.path: field.secret for field in change.fields} == {
        "inputParameters.a": True,
        "inputParameters.b": True,
    }


def test_what_was_secret_when_it_was_applied_is_secret_still() -> None:
    """The parameter is gone from the manifest, and its variable from the environment."""
    resource = declared(spec={"inputParameters": {}})
    live = seen(of=resource, inputParameters='{"password": "hunter2"}')
    entry = remembered(resource, live, facts={"secrets": ["inputParameters.password"]})
    change = only_change(planned([resource], views(live), [entry]))
    assert [(field.path, field.secret) for field in change.fields] == [("inputParameters.password", True)]


def marked(change: Change) -> dict[str, bool]:
    """Which fields are hidden, of those about parameters."""
    return {field.path: field.secret for field in change.fields if field.path.startswith("inputParameters")}


OLD = declared("old", spec={"inputParameters": {"password": "hunter2", "region": "au"}})


def test_a_deletion_of_what_nothing_remembers_shows_no_parameters() -> None:
    """The ledger was lost: which of them were secret is not known."""
    change = only_change(planned([], views(seen(of=OLD))))
    assert marked(change) == {"inputParameters.password": True, "inputParameters.region": True}


@pytest.mark.parametrize("facts", [{}, {"secrets": ["inputParameters.PASSWORD"]}])
def test_a_deletion_shows_the_parameters_that_were_never_secret(facts: dict[str, Any]) -> None:
    change = only_change(planned([], views(seen(of=OLD)), [remembered(OLD, facts=facts)]))
    assert marked(change) == {"inputParameters.password": bool(facts), "inputParameters.region": False}


def test_a_secret_is_remembered_by_the_id_of_the_schedule_whatever_its_address() -> None:
    entry = remembered(OLD, address=at("schedule/prices/before"), facts={"secrets": ["inputParameters.password"]})
    resource = declared("old", spec={"inputParameters": {"region": "au"}})
    live = seen(of=OLD)
    (change,) = (one for one in planned([resource], views(live), [entry]).changes if one.address == resource.address)
    assert marked(change) == {"inputParameters.password": True}
    assert change.secrets == ("inputParameters.password",)


def test_what_acc_made_under_an_id_of_its_own_keeps_the_secret_that_was_sent() -> None:
    facts = {"secrets": ["inputParameters.password"], "server_assigned_ids": [FOREIGN]}
    resource = declared("old", identity=FOREIGN, adopted=True, spec={"inputParameters": {"region": "nz"}})
    live = seen(FOREIGN, of=OLD)
    entries = [remembered(OLD, facts=facts, settled=False), remembered(resource, live, address=at("schedule/prices/x"))]
    changes = planned([resource], views(live), entries).changes
    (change,) = (one for one in changes if one.address == resource.address)
    assert marked(change) == {"inputParameters.password": True, "inputParameters.region": False}


def test_without_memory_live_parameters_of_ours_are_hidden_and_the_manifests_words_are_not() -> None:
    resource = declared("old", spec={"inputParameters": {"region": "nz", "zone": "x"}})
    change = only_change(planned([resource], views(seen(of=OLD))))
    assert marked(change) == {
        "inputParameters.password": True,
        "inputParameters.region": True,
        "inputParameters.zone": False,
    }
    assert change.secrets == ("inputParameters",)


def test_what_the_planner_learns_of_undeclared_parameters_stays_unknown() -> None:
    """Adopting remembers that nobody knows, so that a later deletion shows nothing either."""
    resource = declared("old")
    assert only_change(planned([resource], views(seen(of=OLD)))).secrets == ("inputParameters",)


@pytest.mark.parametrize(
    ("entries", "live", "status"),
    [
        ([remembered(declared())], [seen(of=declared())], DriftStatus.IN_SYNC),
        ([remembered(declared())], [AT_NINE], DriftStatus.DRIFTED),
        ([remembered(declared(spec=EDITED))], [AT_NINE], DriftStatus.DIVERGED),
        ([remembered(declared(spec=EDITED))], [seen(of=declared(spec=EDITED))], DriftStatus.PENDING),
        ([remembered(declared())], [], DriftStatus.MISSING),
        ([], [], DriftStatus.PENDING),
        ([], [AT_NINE], DriftStatus.DRIFTED),
    ],
    ids=["equal", "live moved", "both moved", "manifest moved", "deleted by hand", "never applied", "no memory"],
)
def test_drift_reads_the_same_verdicts(entries: list[object], live: list[object], status: DriftStatus) -> None:
    found = planner.audit(inputs([declared()], views(*live), entries), KINDS)  # type: ignore[arg-type]
    assert [finding.status for finding in found.findings] == [status]


def test_drift_counts_what_nobody_declared_and_what_nobody_could_read() -> None:
    live = views(seen(FOREIGN)) | views(agent="stock", problem="down")
    found = planner.audit(inputs([declared(agent="stock")], live), KINDS)
    assert sorted(finding.status.value for finding in found.findings) == ["unmanaged", "unreadable"]


def test_a_name_that_was_used_again_and_again_never_gets_an_id_twice() -> None:
    """Each schedule that was renamed away keeps an id that was made from the name; the next one has one of its own."""
    names = ["nightly", *(f"nightly/{number}" for number in range(2, 12))]
    ids = [owned_id("retail", "default", path_of("prices"), name) for name in names]
    others = [declared(f"former-{number}", identity=one) for number, one in enumerate(ids)]
    live = views(*(seen(of=one) for one in others))
    change = only_change(planned([*others, declared()], live, [remembered(one) for one in others]))
    assert (str(change.address), change.action) == ("schedule/prices/nightly", Action.CREATE)
    assert change.identity == owned_id("retail", "default", path_of("prices"), "nightly/12")

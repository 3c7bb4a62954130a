"""Sentences that differ in names and times alone are told once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.causes import Cause, because
from reconciler.model.address import Address
from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.live import Evidence
from reconciler.model.plan import BlockedResource, Reason
from reconciler.render.alike_sentences import shared_sentence, skeleton
from reconciler.render.drift_review import drift_outline
from reconciler.render.review import blocked_groups

SHARED = (
    'GET /api/agent?agentPath=Shops/… answered 401: {"message": "The access token is not valid", "time": "…"}. '
    "Look at connections.acc.token in reconciler.yaml."
)


def refused(agent: str, second: int, status: int = 401) -> BlockedResource:
    said = (
        f'GET /api/agent?agentPath=Shops/{agent} answered {status}: {{"message": "The access token is not valid", '
        f'"time": "2026-11-24T17:48:{second:02}+00:00"}}. Look at connections.acc.token in reconciler.yaml.'
    )
    return BlockedResource(
        Address("schedule", agent, "nightly"), Reason.UNREADABLE, because(Cause.AGENT_UNREAD, said=said)
    )


def test_a_wrong_token_is_told_once_whatever_was_asked_and_when() -> None:
    blocked = [refused(f"prices-{number}", number % 60) for number in range(1200)]
    (group,) = blocked_groups(blocked)
    assert group.headline() == "1,200 schedules: unreadable"
    assert group.said == SHARED
    findings = [DriftFinding(one.address, DriftStatus.UNREADABLE, Evidence.UNKNOWN, why=one.why) for one in blocked]
    (unread,) = drift_outline(Drift("p", "e", tuple(findings))).groups
    assert unread.said == SHARED


def test_another_answer_is_another_cause() -> None:
    assert len(blocked_groups([refused("a", 1), refused("b", 1, 503)])) == 2


def test_one_alone_is_told_in_its_own_words() -> None:
    (group,) = blocked_groups([refused("a", 1)])
    assert "Shops/a answered 401" in group.said


@pytest.mark.generated
@given(st.lists(st.text(alphabet="a/ 1:…\n", max_size=20), min_size=1, max_size=5))
def test_what_sentences_share_has_their_skeleton(sentences: list[str]) -> None:
    alike = [one for one in sentences if skeleton(one) == skeleton(sentences[0])]
    shared = shared_sentence(alike)
    assert len(skeleton(shared)) == len(skeleton(alike[0]))
    assert shared == alike[0] or "…" in shared or shared.split() == alike[0].split()

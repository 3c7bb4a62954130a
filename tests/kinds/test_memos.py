"""What the ledger keeps of a resource comes back as it was, whatever it is, and is written alike again."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kind import ByHand, LicenceCount, StartState
from reconciler.kinds.approval import ApprovalMemo
from reconciler.kinds.input_files import FileSize, InputFilesMemo
from reconciler.kinds.registry import KINDS, memo_of
from reconciler.kinds.schedule_state import ScheduleMemo
from reconciler.kinds.trigger import Task, TriggerMemo
from reconciler.model.entry import Memo

pytestmark = pytest.mark.generated

TEXT, COUNT = st.text(max_size=6), st.integers(0, 9)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
SWITCH = st.none() | st.booleans()
SECRETS: Mapping[str, st.SearchStrategy[tuple[str, ...]]] = {"secrets": TEXTS, "secrets_before": TEXTS}
BY_HAND = st.none() | st.builds(ByHand, TEXT, TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=2))
SIZES = st.dictionaries(TEXT, st.builds(FileSize, COUNT, COUNT), max_size=3)
MEMOS: dict[str, st.SearchStrategy[Memo]] = {
    "schedule": st.builds(
        ScheduleMemo,
        moved_from=TEXT,
        server_assigned_ids=TEXTS,
        ids_before=st.none() | TEXTS,
        name=TEXT,
        start=st.none() | TEXT,
        set_fields=st.none() | TEXTS,
        **SECRETS,
    ),
    "approval": st.builds(ApprovalMemo, by_hand=BY_HAND, state=TEXT, **SECRETS),
    "input-files": st.builds(
        InputFilesMemo,
        by_hand=BY_HAND,
        sizes=SIZES,
        enabled=SWITCH,
        exclusive=st.booleans(),
        run_deletes=st.booleans(),
        **SECRETS,
    ),
    "trigger": st.builds(
        TriggerMemo,
        state=st.sampled_from(StartState),
        attempts=COUNT,
        run_id=TEXT,
        licence=st.none() | st.builds(LicenceCount, st.none() | COUNT, st.none() | COUNT),
        resolved=st.booleans(),
        task=st.none() | st.builds(Task, name=TEXT) | st.builds(Task, id=TEXT),
        revision=st.none() | TEXT,
        contents=st.dictionaries(TEXT, TEXT, max_size=3),
        sealed_parameters=TEXT,
        **SECRETS,
    ),
}


def test_every_kind_is_drawn() -> None:
    assert MEMOS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", MEMOS)
@given(data=st.data())
def test_a_memo_comes_back_and_is_written_alike(kind: str, data: st.DataObject) -> None:
    memo = data.draw(MEMOS[kind])
    kept = json.loads(json.dumps(memo.to_json()))
    again = memo_of(kind, kept)
    assert again == memo
    assert again.to_json() == memo.to_json()

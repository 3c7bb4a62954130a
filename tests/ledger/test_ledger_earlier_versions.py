"""What earlier versions wrote beside the digests is read whole, and written back as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from ledger_samples import OWNER, Place, entry

from reconciler.diff import canonical_json
from reconciler.errors import LedgerError
from reconciler.kind import ByHand, LicenceCount, StartState
from reconciler.kinds.approval import ApprovalMemo
from reconciler.kinds.input_files import FileSize, InputFilesMemo
from reconciler.kinds.registry import memo_of
from reconciler.kinds.schedule_state import ScheduleMemo
from reconciler.kinds.trigger import Task, TriggerMemo
from reconciler.ledger.records import row_of
from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.entry import Memo

pytest_plugins = ["ledger_places"]

BY_HAND: dict[str, Any] = {
    "call": "acc agent disapprove",
    "by": "ada on here",
    "at": "2026-11-01T08:00:00Z",
    "before": {"applied": {"state": "hmac-sha256:4"}, "enabled": None},
}
BY_HAND_READ = ByHand(BY_HAND["call"], BY_HAND["by"], BY_HAND["at"], BY_HAND["before"])

SCHEDULE = "schedule/prices/nightly"
APPROVAL = "approval/prices"
INPUT_FILES = "input-files/prices"
TRIGGER = "trigger/publish"

WRITTEN: dict[str, tuple[str, dict[str, Any], Memo]] = {
    "a schedule with all there is": (
        SCHEDULE,
        {
            "start": "2026-01-01T02:00:00+11:00",
            "set": ["enabled", "logLevel"],
            "movedFrom": "nightly-old",
            "secrets": ["inputParameters.a", "inputParameters.b"],
            "secretsBefore": ["inputParameters.c"],
            "server_assigned_ids": ["id-1", "id-2"],
            "ids_before": ["id-3"],
            "name": "by night",
        },
        ScheduleMemo(
            start="2026-01-01T02:00:00+11:00",
            set_fields=("enabled", "logLevel"),
            moved_from="nightly-old",
            secrets=("inputParameters.a", "inputParameters.b"),
            secrets_before=("inputParameters.c",),
            server_assigned_ids=("id-1", "id-2"),
            ids_before=("id-3",),
            name="by night",
        ),
    ),
    "a schedule of the first versions": (SCHEDULE, {}, ScheduleMemo()),
    "a schedule whose manifest sets nothing more": (
        SCHEDULE,
        {"start": "2026-01-01T02:00:00+11:00", "set": [], "ids_before": []},
        ScheduleMemo(start="2026-01-01T02:00:00+11:00", set_fields=(), ids_before=()),
    ),
    "a trigger with all there is": (
        TRIGGER,
        {
            "state": "success",
            "attempts": 3,
            "runId": "4711",
            "task": {"name": "Publish prices", "id": "8f14e45f-ceea-8671-9b2e-0d4a6c1f2b3c"},
            "revision": "2026-11-22",
            "contents": {"schedule/prices/nightly": "hmac-sha256:5"},
            "sealed_parameters": "hmac-sha256:6",
            "licence": {"used": 17, "limit": None},
            "resolved": True,
            "secrets": ["parameters.key"],
        },
        TriggerMemo(
            state=StartState.SUCCESS,
            attempts=3,
            run_id="4711",
            task=Task(name="Publish prices", id="8f14e45f-ceea-8671-9b2e-0d4a6c1f2b3c"),
            revision="2026-11-22",
            contents={"schedule/prices/nightly": "hmac-sha256:5"},
            sealed_parameters="hmac-sha256:6",
            licence=LicenceCount(used=17, limit=None),
            resolved=True,
            secrets=("parameters.key",),
        ),
    ),
    "a trigger whose start was sent": (
        TRIGGER,
        {
            "state": "sending",
            "attempts": 1,
            "runId": "",
            "task": {"name": "Publish prices"},
            "revision": None,
            "contents": {},
            "sealed_parameters": "hmac-sha256:6",
            "licence": None,
        },
        TriggerMemo(
            state=StartState.SENDING, task=Task(name="Publish prices"), contents={}, sealed_parameters="hmac-sha256:6"
        ),
    ),
    "a trigger that nobody knows the end of": (
        TRIGGER,
        {
            "state": "unknown",
            "attempts": 1,
            "runId": "",
            "task": {"id": "8f14e45f-ceea-8671-9b2e-0d4a6c1f2b3c"},
            "revision": "1",
            "contents": {},
            "sealed_parameters": "hmac-sha256:6",
            "licence": {"used": 17, "limit": 100},
        },
        TriggerMemo(
            state=StartState.UNKNOWN,
            task=Task(id="8f14e45f-ceea-8671-9b2e-0d4a6c1f2b3c"),
            revision="1",
            contents={},
            sealed_parameters="hmac-sha256:6",
            licence=LicenceCount(used=17, limit=100),
        ),
    ),
    "input files with all there is": (
        INPUT_FILES,
        {
            "files": {"urls.csv": {"bytes": 10, "lines": 2}},
            "enabled": False,
            "exclusive": True,
            "byHand": BY_HAND,
            "runDeletes": True,
        },
        InputFilesMemo(
            sizes={"urls.csv": FileSize(10, 2)}, enabled=False, exclusive=True, by_hand=BY_HAND_READ, run_deletes=True
        ),
    ),
    "input files as they usually are": (
        INPUT_FILES,
        {"files": {"urls.csv": {"bytes": 10, "lines": 2}}, "enabled": None, "exclusive": False},
        InputFilesMemo(sizes={"urls.csv": FileSize(10, 2)}),
    ),
    "an approval with all there is": (
        APPROVAL,
        {"state": "approved", "byHand": BY_HAND},
        ApprovalMemo(state="approved", by_hand=BY_HAND_READ),
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_earlier_versions_kept_is_read_whole_and_written_back(place: Place, name: str) -> None:
    address, kept, memo = WRITTEN[name]
    found = _read(place, address, kept)
    assert found == memo
    assert type(found) is type(memo)
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        (before,) = ledger.memory().entries.values()
        ledger.put(lease, replace(before, settled=False))
        (after,) = ledger.memory().entries.values()
    assert after.memo == memo
    assert json.loads(str(row_of(after)["facts"])) == kept


@pytest.mark.parametrize(
    ("kept", "ids"),
    [
        ({"stray": "id-9"}, ("id-9",)),
        ({"stray": "id-9", "server_assigned_ids": ["id-1"]}, ("id-1", "id-9")),
        ({"stray": "", "server_assigned_ids": ["id-1"]}, ("id-1",)),
    ],
)
def test_the_one_id_that_the_first_versions_kept_is_one_of_those_that_the_server_assigned(
    place: Place, kept: dict[str, Any], ids: tuple[str, ...]
) -> None:
    found = _read(place, SCHEDULE, {**kept, "start": "2026-01-01T02:00:00"})
    assert found == ScheduleMemo(start="2026-01-01T02:00:00", server_assigned_ids=ids)
    assert found.to_json() == {"start": "2026-01-01T02:00:00", "server_assigned_ids": ids}


def _read(place: Place, address: str, kept: Mapping[str, Any]) -> Memo:
    """What a ledger reads that an earlier version wrote."""
    known = Address.parse(address)
    with place.open() as ledger, ledger.acquire(OWNER) as lease:
        ledger.put(lease, entry(address=known, memo=memo_of(known.kind, {})))
    place.execute(f"UPDATE reconciler_entries SET facts = '{canonical_json(kept)}'")
    with place.open(create=False) as ledger:
        (found,) = ledger.memory().entries.values()
    return found.memo


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        (SCHEDULE, []),
        (SCHEDULE, {"set": 7}),
        (TRIGGER, {"state": "dreaming"}),
        (TRIGGER, {"attempts": "many"}),
        (TRIGGER, {"task": "Publish"}),
        (APPROVAL, {"state": "approved", "byHand": {"call": "acc agent approve"}}),
        (APPROVAL, {"byHand": 1}),
        (INPUT_FILES, {"files": {"urls.csv": {"bytes": 10}}}),
        (INPUT_FILES, {"files": ["urls.csv"]}),
    ],
    ids=str,
)
def test_a_memo_that_makes_no_sense_is_told(place: Place, address: str, kept: Any) -> None:
    with pytest.raises(LedgerError, match="cannot be read"):
        _read(place, address, kept)

"""Input files of the emulated ACC arrive byte for byte, are disabled, deleted, and used up by runs."""

from __future__ import annotations

import pytest
from archive_samples import packed
from emulated import AGENT_ID, PATH, Client, Clock, Start
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.emulator import Switches
from reconciler.emulator.acc_state import InputFile, RunStatus
from reconciler.emulator.input_file_calls import read_multipart

CSV = f"/api/input/agent/{AGENT_ID}/csv"
FILES = f"/api/input/agent/{AGENT_ID}/files"


def held(acc: Client) -> dict[str, InputFile]:
    return acc.emulator.estate.agents[PATH].input_files


ODD = b"\xef\xbb\xbfname\r\nG\xf6teborg\n\r\rlast\x00line"


def test_a_csv_is_added_then_updated(acc: Client) -> None:
    assert acc.post(CSV, params={"name": "urls.csv"}, data=ODD).status_code == 200
    assert held(acc)["urls.csv"].content == ODD
    acc.post(CSV, params={"name": "urls.csv"}, data=b"new")
    assert (held(acc)["urls.csv"].content, held(acc)["urls.csv"].uploads) == (b"new", 2)


@pytest.mark.parametrize("name", ["", "urls.txt", "../urls.csv", "a/b.csv", ".csv/"])
def test_a_name_must_be_that_of_a_csv(acc: Client, name: str) -> None:
    assert acc.post(CSV, params={"name": name}, data=b"x").status_code == 400
    assert not held(acc)


def test_names_with_odd_letters_arrive(acc: Client) -> None:
    acc.post(CSV, params={"name": "für & mit.csv"}, data=b"x")
    acc.post(FILES, files={"a": ("käse zwei.txt", b"y")})
    assert set(held(acc)) == {"für & mit.csv", "käse zwei.txt"}


def test_several_files_are_uploaded_at_once(acc: Client) -> None:
    files = [
        ("a", ("one.csv", ODD)),
        ("b", ("two.txt", b"2")),
        ("c", ("more.zip", packed({"3.csv": b"3", "4.txt": b"4"}))),
    ]
    assert acc.post(FILES, files=files).status_code == 200
    assert {name: file.content for name, file in held(acc).items()} == {
        "one.csv": ODD,
        "two.txt": b"2",
        "3.csv": b"3",
        "4.txt": b"4",
    }


def test_one_bad_file_refuses_all(acc: Client) -> None:
    assert acc.post(FILES, files=[("a", ("one.csv", b"1")), ("b", ("two.exe", b"2"))]).status_code == 400
    assert acc.post(FILES, data=b"x", headers={"Content-Type": "text/csv"}).status_code == 415
    assert acc.post(FILES, files={"a": ("", b"")}, data={"only": "a field"}).status_code == 400
    assert not held(acc)


def test_a_large_file_arrives(acc: Client) -> None:
    content = bytes(range(256)) * 20_000
    assert acc.post(FILES, files={"a": ("large.txt", content)}).status_code == 200
    assert held(acc)["large.txt"].content == content


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_survive_multipart(first: bytes, second: bytes) -> None:
    from urllib3 import encode_multipart_formdata

    boundary = "----boundary7MA4YWxkTrZu0gW"
    body, kind = encode_multipart_formdata({"a": ("a.csv", first), "b": ("b.txt", second)}, boundary)
    assert read_multipart(kind, body) == [("a.csv", first), ("b.txt", second)]


def test_a_name_may_be_encoded() -> None:
    head = b'Content-Disposition: form-data; name="a"; filename="x.csv"; filename*=utf-8\'\'k%C3%A4se.csv\r\n\r\n'
    body = b"--b\r\n" + head + b"1\r\n--b--\r\n"
    assert read_multipart("multipart/form-data; boundary=b", body) == [("käse.csv", b"1")]


def test_a_body_that_was_cut_off_is_refused(acc: Client) -> None:
    body = b'--b\r\nContent-Disposition: form-data; filename="a.csv"\r\n\r\n1,2'
    assert acc.post(FILES, data=body, headers={"Content-Type": "multipart/form-data; boundary=b"}).status_code == 400
    assert not held(acc)


def test_disabled_files_are_not_there_until_they_are_sent_again(acc: Client) -> None:
    acc.post(CSV, params={"name": "urls.csv"}, data=b"x")
    assert acc.post(f"/api/input/agent/{AGENT_ID}/disable").status_code == 200
    order = {"inputFiles": ["urls.csv"]}
    assert acc.post(f"/api/job/{AGENT_ID}/start", json=order).status_code == 400
    acc.post(CSV, params={"name": "urls.csv"}, data=b"x")
    assert acc.post(f"/api/job/{AGENT_ID}/start", json=order).status_code == 200


def test_a_switch_keeps_them_disabled(start: Start) -> None:
    acc = start(switches=Switches(upload_enables=False))
    acc.post(CSV, params={"name": "urls.csv"}, data=b"x")
    acc.post(f"/api/input/agent/{AGENT_ID}/disable")
    acc.post(CSV, params={"name": "urls.csv"}, data=b"x")
    assert held(acc)["urls.csv"].enabled is False


def test_all_are_deleted(acc: Client) -> None:
    acc.post(CSV, params={"name": "urls.csv"}, data=b"x")
    assert acc.delete(f"/api/input/agent/{AGENT_ID}").status_code == 200
    assert not held(acc)


@pytest.mark.parametrize(
    ("switch", "asked", "outcome", "left"),
    [
        ("asked", True, RunStatus.SUCCEEDED, {"other.csv"}),
        ("asked", True, RunStatus.FAILED, {"other.csv", "urls.csv"}),
        ("asked", False, RunStatus.SUCCEEDED, {"other.csv", "urls.csv"}),
        ("never", True, RunStatus.SUCCEEDED, {"other.csv", "urls.csv"}),
        ("always", False, RunStatus.SUCCEEDED, set()),
    ],
)
def test_runs_use_up_their_files(
    start: Start, clock: Clock, switch: str, asked: bool, outcome: RunStatus, left: set[str]
) -> None:
    acc = start(switches=Switches(input_files_deleted_by_runs=switch))
    acc.emulator.estate.agents[PATH].outcomes = (outcome,)
    for name in ("urls.csv", "other.csv"):
        acc.post(CSV, params={"name": name}, data=b"x")
    order = {"inputFiles": ["urls.csv"], "isDeleteInputFilesOnCompleted": asked}
    assert acc.post(f"/api/job/{AGENT_ID}/start", json=order).status_code == 200
    assert set(held(acc)) == {"other.csv", "urls.csv"}
    clock.advance(11)
    acc.schedules()
    assert set(held(acc)) == left


def test_a_job_set_to_failed_by_hand_uses_up_its_files(acc: Client) -> None:
    acc.post(CSV, params={"name": "urls.csv"}, data=b"x")
    order = {"inputFiles": ["urls.csv"], "isDeleteInputFilesOnCompleted": True}
    acc.post(f"/api/job/{AGENT_ID}/start", json=order)
    acc.post(f"/api/job/{AGENT_ID}/status", json={"status": 5})
    assert not held(acc)

"""The pages that commands write of what really happened: a run that went well, failed, was cut off, or never began."""

from __future__ import annotations

import html
import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest
from stage import NIGHTLY, PASSWORD, POLL, PRIVATE_KEY, TOKEN, Open, Stage, agent, task_trigger, wait_for

CI = "https://ci.example.com/jobs/81234"


def many(count: int) -> str:
    return agent(*(POLL.replace("poll", f"s{number:02}") for number in range(count)))


def text_of(page: str) -> str:
    """What a reader sees of a page, as one line; nothing of its style and script."""
    body = re.sub(r"<(style|script)>.*?</\1>|<small hidden>.*?</small>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def written(path: Path) -> str:
    """A page that holds no secret."""
    page = path.read_text(encoding="utf-8")
    for secret in (TOKEN, PASSWORD, PRIVATE_KEY.splitlines()[1]):
        assert secret not in page
    assert page.startswith("<!doctype html>")
    return page


def applied(stage: Stage, code: int, *arguments: str) -> str:
    """The page of an apply that ends with this code."""
    path = stage.root / "apply.html"
    ended = stage.apply("--html", str(path), *arguments)
    assert ended.code == code, ended.err
    return written(path)


def test_an_apply_tells_who_what_and_when(stage: Stage) -> None:
    stage.environ |= {"CI_JOB_URL": CI}
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(stage.root), *words], check=True, env={**stage.environ, "HOME": "/"})
    commit = subprocess.run(
        ["git", "-C", str(stage.root), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    stage.write(agent(NIGHTLY, POLL) + "---\n" + task_trigger())
    digest = stage.plan()["digest"]
    page = applied(stage, 0)
    text = text_of(page)
    assert "Applied all 3 changes." in text
    assert commit[:12] in text
    assert f'<a href="{CI}">' in page
    assert digest[:19] in text
    assert re.search(r"Began \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC Ended \d{4}", text)
    lanes = re.findall(r'<li class="lane applied">', page)
    assert len(lanes) == 3
    assert page.count('id="schedule/prices/nightly"') == 1
    assert "banner" not in page.split("<main", 1)[1]


def test_a_ci_job_is_linked_by_http_alone(stage: Stage) -> None:
    stage.environ |= {"CI_JOB_URL": "javascript:alert(1)"}
    stage.write(agent(NIGHTLY))
    page = applied(stage, 0)
    assert "javascript:alert(1)" in text_of(page)
    assert 'href="javascript' not in page
    history = stage.run("history", "--format", "html")
    assert 'href="javascript' not in history.out


def test_one_cause_is_told_once(stage: Stage) -> None:
    stage.write(many(30))
    assert applied(stage, 0)
    stage.write(many(30).replace("15m", "30m"))
    stage.emulator.inject("POST schedule #* 403")
    page = applied(stage, 4)
    text = text_of(page)
    assert "30 schedules to update: request failed" in text
    assert "answered 403" in text
    assert text.count("answered 403") == 1
    assert page.count('data-word="failed" id=') == 30
    assert "Next: " in text


def test_a_wrong_token_is_told_once(stage: Stage) -> None:
    stage.write(many(30))
    assert applied(stage, 0)
    stage.environ["ACC_TOKEN"] = "some-other-token"
    page = applied(stage, 4)
    text = text_of(page)
    assert "some-other-token" not in page
    assert "30 schedules: unreadable" in text
    assert text.count("answered 401") == 1, text
    status = stage.run("status", "--format", "html")
    assert status.code == 1
    assert "30 schedules: unknown" in text_of(status.out)
    assert text_of(status.out).count("answered 401") == 1
    assert text_of(status.out).count("schedule/prices/s07 unknown unreadable") == 1


def test_a_start_that_nobody_knows_about_names_the_next_step(stage: Stage) -> None:
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger())
    stage.emulator.inject("POST tasks #1 drop-after")
    page = applied(stage, 5)
    text = text_of(page)
    assert "trigger/publish: unknown" in text
    assert "reconciler resolve trigger/publish --ran | --not-ran" in text
    status = stage.run("status", "--format", "html")
    assert status.code == 2
    assert "1 of 2 resources needs attention" in text_of(status.out)
    assert "reconciler resolve trigger/publish --ran | --not-ran" in text_of(status.out)


def test_a_refused_plan_has_a_page_that_says_so_once(stage: Stage) -> None:
    stage.write(many(12))
    assert applied(stage, 0)
    stage.write(agent())
    page = applied(stage, 3)
    text = text_of(page)
    assert text.count("Refused: nothing was sent.") == 1
    assert "Nothing was done. Planned were 12 changes." in text
    assert "Not begun 12" in text
    assert len(stage.owned()) == 12


def test_a_saved_plan_that_no_longer_holds_has_one_too(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    plan, path = stage.root / "tonight.plan", stage.root / "apply.html"
    assert stage.run("plan", "--out", str(plan)).code == 0
    assert stage.run("apply", str(plan), "--html", str(path)).code == 0
    assert "Applied 1 change." in text_of(written(path))
    assert stage.run("apply", str(plan), "--html", str(path)).code == 7
    text = text_of(written(path))
    assert "Refused: nothing was sent." in text
    assert "used already" in text


def test_wrong_usage_is_no_run(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    path = stage.root / "apply.html"
    assert stage.run("apply", "--html", str(path)).code == 64
    assert not path.exists()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("no\n", "Declined: somebody was asked, and did not say yes. Nothing was sent."),
        ("\x03", "Interrupted before anything was sent."),
    ],
)
def test_who_says_no_or_nothing_leaves_a_page_that_says_so(stage: Stage, answer: str, said: str) -> None:
    stage.write(agent(NIGHTLY))
    path = stage.root / "apply.html"
    master, slave = pty.openpty()
    process = stage.start("apply", "--html", str(path), stdin=slave, stderr=slave)
    os.close(slave)
    asked = b""
    while b"accepted" not in asked:
        asked += os.read(master, 4096)
    if answer == "\x03":
        process.send_signal(signal.SIGINT)
    else:
        os.write(master, answer.encode())
    try:
        process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        # It came between the question and the wait for an answer, which then goes on: a person types it again.
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    os.close(master)
    text = text_of(written(path))
    assert text.count(said) == 1
    assert "Nothing was done." in text
    assert "internal error" not in text
    assert not stage.owned()


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupted_run_says_so_and_what_is_left(open_stage: Open, times: int) -> None:
    stage = open_stage(latency=0.05 if times == 1 else 0.4)
    stage.write(many(30))
    path = stage.root / "apply.html"
    process = stage.start("apply", "--auto-approve", "--html", str(path))
    wait_for(lambda: len(stage.owned()) >= 2)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while times > 1 and "interrupted" not in process.stderr.readline():
        pass
    if times > 1:
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    text = text_of(written(path))
    assert text.count("Interrupted") == 1
    assert re.search(r"Not begun \d+", text)
    assert "Did not end well" not in text
    assert "reconciler apply goes on from there" in text
    assert not re.search("internal error|Traceback", out + err + text)


def test_the_history_draws_runs_and_verifies_the_chain(stage: Stage) -> None:
    stage.environ |= {"CI_JOB_URL": CI}
    stage.write(agent(NIGHTLY, POLL))
    assert stage.apply().code == 0
    stage.emulator.inject("POST schedule #1 400")
    stage.write(agent(NIGHTLY.replace("0 0 2", "0 0 3"), POLL))
    assert stage.apply().code == 4
    ended = stage.run("history", "--format", "html")
    assert ended.code == 0
    text = text_of(ended.out)
    assert "Hash chain verified" in text
    assert "The last 2 runs, newest first." in text
    assert re.search("apply in part 1 failed", text)
    assert "failed: 1 to update" in text
    assert f'<a href="{CI}">' in ended.out
    assert ended.out.count('class="lane') >= 2
    with sqlite3.connect(stage.ledger) as connection:
        connection.execute("UPDATE reconciler_events SET at = 'never' WHERE seq = 2")
    text = text_of(stage.run("history", "--format", "html").out)
    assert "The hash chain is broken" in text
    assert "Event 2 was altered" in text


def test_a_run_that_was_killed_is_said_to_be_unfinished(open_stage: Open) -> None:
    stage = open_stage(latency=0.1)
    stage.write(many(30))
    process = stage.start("apply", "--auto-approve")
    wait_for(lambda: len(stage.owned()) >= 3)
    process.kill()
    process.communicate()
    text = text_of(stage.run("history", "--format", "html").out)
    assert "not finished" in text
    assert "Its end is not recorded" in text
    assert re.search(r"begun, without a recorded end: \d+ to create", text)


def test_history_as_json_keeps_its_form(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    assert stage.apply().code == 0
    (run,) = json.loads(stage.run("history", "--format", "json").out)["runs"]
    assert [sorted(one) for one in run["changes"]] == [["action", "address", "detail", "status"]]


def test_doctor_draws_numbers_on_their_scale(stage: Stage) -> None:
    assert stage.estate.tenant is not None
    stage.estate.tenant.licence.used, stage.estate.tenant.licence.limit = 95, 100
    stage.write(agent(NIGHTLY) + "---\n" + task_trigger())
    ended = stage.run("doctor", "--format", "html")
    assert ended.code == 0, ended.err
    text = text_of(ended.out)
    assert "1 of" in text
    assert "needs attention" in text
    assert 'aria-label="95 task executions, from 0 to 100"' in ended.out
    assert "Next: Ask Progress for more executions" in text
    assert re.search(r'aria-label="-?0 s, from -60 to 60"', ended.out), "the clocks"


def test_status_shows_that_acc_names_another_next_run(open_stage: Open) -> None:
    stage = open_stage()
    stage.write(agent(NIGHTLY, POLL))
    assert stage.apply().code == 0
    found = stage.run("status", "--format", "html")
    assert found.code == 0
    assert "2 resources, and none needs attention." in text_of(found.out)
    assert found.out.count('<tr role="row" class="entry"') == 2
    stage.live("nightly").is_enabled = False
    found = stage.run("status", "--format", "html")
    assert found.code == 2
    text = text_of(found.out)
    assert "1 of 2 resources needs attention." in text
    assert "schedule/prices/nightly: disabled" in text

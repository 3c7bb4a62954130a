"""`report` writes a whole site of one look at the world: linked, without secrets, and nothing but its own files."""

from __future__ import annotations

import json
import os
import posixpath
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import pytest
from stage import HAND_MADE, NIGHTLY, PASSWORD, POLL, PRICES, PRIVATE_KEY, STOCK, TOKEN, Stage, agent, task_trigger

from reconciler import files
from reconciler.workflow import site_folder

APPROVED = "  approval: {state: approved}\n"
SECRET = NIGHTLY + '      inputParameters: {password: "${env:PASSWORD}", region: au}\n'
WAIT = "  wait: {timeout: 5s, interval: 1s}\n"
FILTERS = {"q", "sync", "health", "kind", "label", "agent"}
NAV = ("index.html", "plan.html", "drift.html", "calendar.html", "status.html", "history.html")


def everything(*, password: bool = True) -> str:
    trigger = task_trigger(extra=WAIT).replace('{revision: "1"}', '{revision: "1", changed: [approval/prices]}')
    return "---\n".join(
        [
            agent(NIGHTLY, POLL, extra=APPROVED).replace("{name: prices}", "{name: prices, labels: {team: pricing}}"),
            agent(SECRET if password else NIGHTLY, name="stock"),
            trigger,
        ]
    )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "site"


def report(stage: Stage, out: Path, *arguments: str, code: int = 0) -> Path:
    ended = stage.run("report", "--out", str(out), *arguments)
    assert ended.code == code, ended.said
    assert ended.out.strip() == str(out / "index.html")
    return out


class Page(HTMLParser):
    """The ids of a page, and all that it leads to or loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids[value] += 1
            if name in ("href", "src") and value is not None:
                self.links.append(value)


def crawled(folder: Path) -> dict[str, Page]:
    """Every page. Each of their links leads to a file that is there and an element on it, and no id comes twice."""
    pages = {
        path.relative_to(folder).as_posix(): Page(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")
    }
    for name, page in pages.items():
        assert not [at for at, count in page.ids.items() if count > 1], name
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme == "https", (name, link)
                continue
            path = posixpath.join(posixpath.dirname(name), unquote(parts.path)) if parts.path else name
            target = posixpath.normpath(path)
            assert (folder / target).is_file(), (name, link)
            if parts.fragment and not (target == "index.html" and parts.fragment.partition("=")[0] in FILTERS):
                assert unquote(parts.fragment) in pages[target].ids, (name, link)
    return pages


def texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def without_moments(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?|\d+ \w+ \d{4}, \d\d:\d\d UTC", "MOMENT", text)


def disturbed(stage: Stage) -> None:
    """Applied; then one schedule moves in ACC, and one is gone."""
    stage.write(everything())
    assert stage.apply().code == 0
    stage.live("nightly").cron = "0 0 5 * * *"
    stage.estate.remove_schedule(stage.live("nightly", STOCK).schedule_id)


def test_every_link_of_every_page_leads_somewhere(stage: Stage, out: Path) -> None:
    disturbed(stage)
    pages = crawled(report(stage, out))
    assert set(NAV) | {"agents/prices.html", "agents/stock.html"} <= pages.keys()
    for name, page in pages.items():
        root = "../" if "/" in name else ""
        assert {f"{root}{one}" for one in NAV} <= set(page.links), name
    assert "schedule/prices/nightly" in pages["agents/prices.html"].ids
    assert "agents/prices.html#schedule/prices/nightly" in pages["index.html"].links


def gone(stage: Stage) -> None:
    stage.write(agent(NIGHTLY, extra=APPROVED))


def gone_and_kept(stage: Stage) -> None:
    gone(stage)
    stage.project("  policy: {prune: never}\n")


def gone_and_unread(stage: Stage) -> None:
    gone(stage)
    stage.emulator.inject("GET schedules #* 500")


def unknown_start(stage: Stage) -> None:
    stage.write(everything().replace('revision: "1"', 'revision: "2"'))
    stage.emulator.inject("POST tasks #1 drop-after")
    assert stage.apply().code == 5


def protected(stage: Stage) -> None:
    stage.write(agent(NIGHTLY + "      protect: true\n", POLL, extra=APPROVED))
    assert stage.apply().code == 0
    stage.write(agent(POLL, extra=APPROVED))


def unowned(stage: Stage) -> None:
    adopted = NIGHTLY.replace("nightly", "legacy") + f"      id: {HAND_MADE}\n"
    stage.write(everything() + "---\n" + agent(adopted, name="third", path="sequentum/Retail/none"))


def lost(stage: Stage) -> None:
    for path in stage.ledger.parent.iterdir():
        path.unlink()


def made_anew(stage: Stage) -> None:
    lost(stage)
    gone(stage)


def moved(stage: Stage) -> None:
    stage.write(everything().replace("{name: stock}", "{name: goods}").replace("name: poll", "name: often"))


@pytest.mark.parametrize("selected", [(), ("--only", "schedule/prices/*"), ("--exclude", "approval/*")])
@pytest.mark.parametrize(
    "happens",
    [gone, gone_and_kept, gone_and_unread, unknown_start, protected, unowned, lost, made_anew, moved],
)
def test_whatever_happens_every_link_leads_somewhere(
    stage: Stage, out: Path, happens: Callable[[Stage], None], selected: tuple[str, ...]
) -> None:
    disturbed(stage)
    happens(stage)
    ended = stage.run("report", "--out", str(out), *selected)
    assert ended.code in (0, 1), ended.said
    shown = crawled(out)
    assert (ended.code == 1) == all("Incomplete:" in (out / name).read_text(encoding="utf-8") for name in shown)


def test_what_needs_attention_comes_first(stage: Stage, out: Path) -> None:
    disturbed(stage)
    page = report(stage, out) / "index.html"
    shown = page.read_text(encoding="utf-8")
    attention = shown.partition("Needs attention")[2].partition("Sync and health")[0]
    assert "schedule/prices/nightly" in attention
    assert "schedule/stock/nightly" in attention
    assert attention.index("missing") < attention.index("drifted")
    assert "schedule/prices/poll" not in attention
    assert "approval/prices" in shown.partition("All resources")[2]


def test_a_page_of_an_agent_tells_all_of_it(stage: Stage, out: Path) -> None:
    disturbed(stage)
    shown = " ".join((report(stage, out) / "agents" / "prices.html").read_text(encoding="utf-8").split())
    for told in (
        PRICES,
        "team=pricing",
        "at 02:00:00 on Monday to Friday, Australia/Sydney time",
        "every 15 minutes",
        "attested at 20",
        "trigger/publish",
        HAND_MADE,
        "live was changed outside this project",
        "manifests/retail.yaml:1",
    ):
        assert told in shown, told


def test_the_calendar_shows_what_the_plan_makes_of_it_where_it_does(stage: Stage, out: Path) -> None:
    stage.write(agent(NIGHTLY))
    assert "Schedules after this plan" in (report(stage, out) / "calendar.html").read_text(encoding="utf-8")
    assert stage.apply().code == 0
    assert "Schedules as ACC has it now" in (report(stage, out) / "calendar.html").read_text(encoding="utf-8")


def test_what_the_next_apply_creates_needs_no_attention(stage: Stage, out: Path) -> None:
    stage.write(agent(NIGHTLY))
    report(stage, out)
    assert "No resource needs attention" in (out / "index.html").read_text(encoding="utf-8")
    assert "It needs no attention." in (out / "status.html").read_text(encoding="utf-8")


def test_the_products_are_asked_once(stage: Stage, out: Path) -> None:
    disturbed(stage)

    def asked(*arguments: str) -> Counter[str]:
        before = len(stage.emulator.requests)
        stage.run(*arguments)
        return Counter(f"{one.method} {one.path}" for one in stage.emulator.requests[before:])

    apart = asked("plan") + asked("status")
    together = asked("report", "--out", str(out))
    assert not together - apart
    schedules = [path for path in together if "schedules" in path]
    assert schedules
    assert all(together[path] == 1 for path in schedules)


def test_no_secret_is_in_any_file(stage: Stage, out: Path) -> None:
    stage.write(everything())
    report(stage, out)
    assert stage.apply().code == 0
    stage.write(everything(password=False))  # the ledger remembers, and live shows it still
    report(stage, out)
    stage.write(agent(NIGHTLY))  # nobody declares it any more
    report(stage, out)
    stage.ledger.unlink()  # and nobody remembers it
    stage.run("report", "--out", str(out))
    stage.write(everything())
    stage.live("nightly", STOCK).error_message = f"login with {PASSWORD} failed"
    stage.run("report", "--out", str(out))
    for text in texts(out).values():
        for secret in (TOKEN, PASSWORD, PRIVATE_KEY.splitlines()[1]):
            assert secret not in text


def test_while_a_secret_is_in_flight_it_is_in_no_file(stage: Stage, out: Path) -> None:
    stage.write(everything())
    stage.emulator.inject("POST #* drop-after")
    stage.apply()
    stage.emulator.clear_faults()
    for manifests in (everything(), everything(password=False), agent(NIGHTLY)):
        stage.write(manifests)
        stage.run("report", "--out", str(out))
        assert all(PASSWORD not in text for text in texts(out).values())


@pytest.mark.parametrize("fault", ["GET agent #* 500", "GET #* 401"])
def test_what_cannot_be_read_is_shown_as_such_on_every_page(stage: Stage, out: Path, fault: str) -> None:
    stage.write(everything())
    assert stage.apply().code == 0
    stage.emulator.inject(fault)
    pages = crawled(report(stage, out, code=1))
    for name in pages:
        shown = (out / name).read_text(encoding="utf-8")
        assert "Incomplete:" in shown, name
        assert "could not be read" in shown, name
    assert "to delete" not in (out / "plan.html").read_text(encoding="utf-8")


def test_one_cause_is_told_once(stage: Stage, out: Path) -> None:
    stage.write("---\n".join(agent(NIGHTLY, name=f"shop-{number:03}") for number in range(40)))
    page = (report(stage, out, code=1) / "index.html").read_text(encoding="utf-8")
    attention = page.partition("Needs attention")[2].partition("Sync and health")[0]
    assert attention.count('class="pill unreadable"') == 1
    assert all(f"schedule/shop-{number:03}/nightly" in attention for number in range(40))


def test_before_the_first_apply_there_is_no_ledger(stage: Stage, out: Path) -> None:
    stage.write(everything())
    crawled(report(stage, out))
    for name in ("agents/prices.html", "history.html"):
        assert "There is no ledger" in (out / name).read_text(encoding="utf-8")
    assert not stage.ledger.exists()
    assert stage.writes() == []


def test_without_a_connection_to_acc_it_shows_what_is_declared(stage: Stage, out: Path) -> None:
    stage.write(agent(NIGHTLY))
    project = stage.root / "reconciler.yaml"
    project.write_text(re.sub(r"    acc: .*\n", "", project.read_text(encoding="utf-8")), encoding="utf-8")
    before = len(stage.emulator.requests)
    crawled(report(stage, out, code=1))
    assert len(stage.emulator.requests) == before
    assert "The project has no connection to ACC" in (out / "index.html").read_text(encoding="utf-8")
    assert "at 02:00:00 on Monday to Friday" in (out / "agents" / "prices.html").read_text(encoding="utf-8")


def test_drift_and_refusals_do_not_change_the_exit_code(stage: Stage, out: Path) -> None:
    stage.write(agent(NIGHTLY, POLL, extra=APPROVED))
    assert stage.apply().code == 0
    stage.write(agent())
    assert stage.run("plan").code == 3
    shown = (report(stage, out) / "index.html").read_text(encoding="utf-8")
    assert "all" in shown
    assert "prune" in shown or "delete" in shown


def test_a_selection_is_covered_and_told_on_every_page(stage: Stage, out: Path) -> None:
    stage.write(everything())
    assert stage.apply().code == 0
    pages = crawled(report(stage, out, "--only", "schedule/stock/*"))
    assert "agents/stock.html" in pages
    assert "agents/prices.html" not in pages
    for name in pages:
        assert "--only schedule/stock/*" in (out / name).read_text(encoding="utf-8"), name
    assert stage.run("report", "--out", str(out), "--only", "nothing/*").code == 64


def test_equal_input_gives_equal_files_but_for_the_moment(stage: Stage, out: Path, tmp_path: Path) -> None:
    disturbed(stage)
    one, other = texts(report(stage, out)), texts(report(stage, tmp_path / "other"))
    assert one.keys() == other.keys()
    for name, text in one.items():
        assert without_moments(text) == without_moments(other[name]), name


# --- the folder ------------------------------------------------------------------------------------------------------


def test_pages_of_agents_that_are_gone_are_removed_and_foreign_files_are_not(stage: Stage, out: Path) -> None:
    stage.write(everything())
    assert stage.run("report", "--out", str(out)).code == 0
    foreign = {out / "CNAME": "data.example.com", out / "agents" / "notes.html": "mine", out / "extra" / "a.txt": "a"}
    for path, text in foreign.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    stage.write(agent(NIGHTLY))
    crawled_before = set(texts(out))
    report(stage, out)
    assert crawled_before - set(texts(out)) == {"agents/stock.html"}
    assert {path: path.read_text(encoding="utf-8") for path in foreign} == foreign


@pytest.mark.parametrize(
    "name", ["index.html", "agents", "assets", "site.json", "assets/scaffold.css", "agents/prices.html"]
)
def test_a_foreign_file_in_the_way_is_not_touched(stage: Stage, out: Path, name: str) -> None:
    stage.write(everything())
    path = out / name
    path.parent.mkdir(parents=True)
    path.write_text("mine", encoding="utf-8")
    ended = stage.run("report", "--out", str(out))
    assert ended.code == 64, ended.said
    assert name.partition("/")[0] in ended.err
    assert texts(out) == {name: "mine"}


@pytest.mark.parametrize(
    "listed",
    ["../victim", "/etc/hostname", "agents/../../victim", "agents/link.html", "linked/x.html", "notes.txt", 7, None],
)
def test_a_listing_that_somebody_made_up_leads_nowhere(stage: Stage, out: Path, tmp_path: Path, listed: Any) -> None:
    stage.write(agent(NIGHTLY))
    report(stage, out)
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "x.html").write_text("mine", encoding="utf-8")
    (out / "agents" / "link.html").symlink_to(victim / "x.html")
    (out / "linked").symlink_to(victim)
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    listing = json.loads((out / "site.json").read_text(encoding="utf-8"))
    listing["files"].append(listed)
    (out / "site.json").write_text(json.dumps(listing), encoding="utf-8")
    report(stage, out)
    assert (victim / "x.html").read_text(encoding="utf-8") == "mine"
    assert (out / "agents" / "link.html").is_symlink()
    assert (out / "notes.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["index.html", "agents"])
def test_a_link_put_in_the_place_of_ours_is_not_followed(stage: Stage, out: Path, tmp_path: Path, name: str) -> None:
    stage.write(agent(NIGHTLY))
    report(stage, out)
    victim = tmp_path / "victim"
    (out / name).rename(victim)
    before = texts(victim) if victim.is_dir() else victim.read_text(encoding="utf-8")
    (out / name).symlink_to(victim)
    assert stage.run("report", "--out", str(out)).code == 64
    assert (texts(victim) if victim.is_dir() else victim.read_text(encoding="utf-8")) == before


@pytest.mark.parametrize("made", ["{", "[]", '{"files": []}', '{"made_by": "reconciler", "files": 3}'])
def test_a_listing_of_another_program_is_left_alone(stage: Stage, out: Path, made: str) -> None:
    stage.write(agent(NIGHTLY))
    out.mkdir()
    (out / "site.json").write_text(made, encoding="utf-8")
    assert stage.run("report", "--out", str(out)).code == 64
    assert texts(out) == {"site.json": made}


def test_a_place_that_cannot_be_written_is_told_before_anything_is_read(stage: Stage, out: Path) -> None:
    stage.write(agent(NIGHTLY))
    out.write_text("mine", encoding="utf-8")
    before = len(stage.emulator.requests)
    for place in (out, out / "below"):
        assert stage.run("report", "--out", str(place)).code == 64
    assert len(stage.emulator.requests) == before
    assert out.read_text(encoding="utf-8") == "mine"


def test_a_write_that_breaks_off_leaves_whole_pages_and_is_made_good(stage: Stage, out: Path) -> None:
    stage.write(everything())
    report(stage, out)
    stage.write(agent(POLL) + "---\n" + agent(NIGHTLY, name="stock", path=STOCK))
    written = 0

    def until_full(path: Path, text: str) -> None:
        nonlocal written
        written += 1
        if written == 12:
            raise OSError(28, "No space left on device", str(path))
        files.write_whole(path, text)

    with patch.object(site_folder, "write_whole", until_full):
        ended = stage.run("report", "--out", str(out))
    assert (ended.code, "No space left" in ended.err) == (1, True)
    assert all(text.rstrip().endswith("</html>") for name, text in texts(out).items() if name.endswith(".html"))
    crawled(report(stage, out))


def test_nothing_is_written_where_the_manifests_have_an_error(stage: Stage, out: Path) -> None:
    stage.write(agent(NIGHTLY).replace("cron", "corn"))
    assert stage.run("report", "--out", str(out)).code == 1
    assert not out.exists()


# --- the repository --------------------------------------------------------------------------------------------------

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *AUTHOR, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def committed(stage: Stage) -> str:
    stage.write(agent(NIGHTLY), "prices.yaml")
    stage.write(agent(POLL, name="stock"), "stock.yaml")
    git(stage.root, "init", "-q")
    git(stage.root, "add", "manifests", "reconciler.yaml")
    git(stage.root, "commit", "-qm", "Declare")
    return git(stage.root, "rev-parse", "HEAD")


def places(out: Path, name: str) -> set[str]:
    page = Page((out / "agents" / f"{name}.html").read_text(encoding="utf-8"))
    return {link for link in page.links if "manifests/" in link}


@pytest.mark.parametrize(
    ("remote", "environ", "given", "expected"),
    [
        ("https://ci:hunter2@github.com/shop/estate.git", {}, "", "https://github.com/shop/estate/blob/{}/"),
        ("git@gitlab.com:shop/estate.git", {}, "", "https://gitlab.com/shop/estate/-/blob/{}/"),
        ("ssh://git@github.com:22/shop/estate", {}, "", "https://github.com/shop/estate/blob/{}/"),
        ("", {"CI_PROJECT_URL": "https://git.shop.test/a/b"}, "", "https://git.shop.test/a/b/-/blob/{}/"),
        (
            "",
            {"GITHUB_SERVER_URL": "https://code.shop.test", "GITHUB_REPOSITORY": "a/b"},
            "",
            "https://code.shop.test/a/b/blob/{}/",
        ),
        ("git@gitlab.com:a/b.git", {}, "https://u:hunter2@git.shop.test/x/y", "https://git.shop.test/x/y/blob/{}/"),
        ("hunter2:x@host:path", {}, "", ""),
        ("x-token-auth:hunter2@bitbucket.org/a/b", {}, "", ""),
        ("", {}, "", ""),
    ],
)
def test_manifests_link_to_the_repository(
    stage: Stage, out: Path, committed: str, remote: str, environ: dict[str, str], given: str, expected: str
) -> None:
    if remote:
        git(stage.root, "remote", "add", "origin", remote)
    stage.environ.update(environ)
    report(stage, out, *(["--repository", given] if given else []))
    found = places(out, "prices")
    assert "hunter2" not in "".join(texts(out).values())
    assert bool(found) == bool(expected)
    assert all(link.startswith(expected.format(committed) + "manifests/prices.yaml#") for link in found)


@pytest.mark.parametrize("command", ["plan", "drift", "calendar", "status", "history"])
def test_pages_that_stand_alone_link_to_the_repository_as_well(stage: Stage, committed: str, command: str) -> None:
    git(stage.root, "remote", "add", "origin", "https://ci:hunter2@github.com/shop/estate.git")
    assert stage.apply().code == 0
    stage.live("nightly").cron = "0 0 5 * * *"
    ended = stage.run(command, "--format", "html")
    assert f"https://github.com/shop/estate/commit/{committed}" in ended.out
    if command in ("plan", "drift"):
        assert f"https://github.com/shop/estate/blob/{committed}/manifests/prices.yaml#L" in ended.out
    assert "hunter2" not in ended.said


def test_a_saved_plan_that_is_shown_leads_to_no_checkout(stage: Stage, committed: str) -> None:
    git(stage.root, "remote", "add", "origin", "https://github.com/shop/estate.git")
    saved = stage.root / "plan.json"
    assert stage.run("plan", "--out", str(saved)).code == 0
    assert "github.com" not in stage.run("show", str(saved), "--format", "html").out


def test_a_manifest_that_is_not_committed_as_it_is_has_no_link(stage: Stage, out: Path, committed: str) -> None:
    git(stage.root, "remote", "add", "origin", "https://github.com/shop/estate.git")
    stage.write(agent(NIGHTLY, extra=APPROVED), "prices.yaml")
    stage.write(agent(name="new", path="sequentum/Retail/new"), "new.yaml")
    report(stage, out, code=1)  # ACC has no such agent
    assert places(out, "prices") == set()
    assert places(out, "new") == set()
    assert places(out, "stock")


def test_a_repository_that_is_no_url_is_wrong_usage(stage: Stage, out: Path) -> None:
    stage.write(agent(NIGHTLY))
    ended = stage.run("report", "--out", str(out), "--repository", "user:hunter2@x")
    assert (ended.code, "hunter2" in ended.said) == (64, False)


def test_out_may_lie_in_the_project(stage: Stage) -> None:
    stage.write(agent(NIGHTLY))
    report(stage, stage.root / "manifests" / "site")
    report(stage, stage.root / "manifests" / "site")
    assert stage.run("validate").code == 0
    assert os.path.lexists(stage.root / "manifests" / "site" / "index.html")

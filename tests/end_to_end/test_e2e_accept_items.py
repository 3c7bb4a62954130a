"""`accept` of a schedule that `forEach` makes: what moved comes into its item, and nothing else moves."""

from __future__ import annotations

import json
import subprocess

import pytest
from stage import PASSWORD, PRICES, STOCK, Ended, Stage

from reconciler.emulator.acc_state import Schedule

MANIFEST = """\
apiVersion: reconciler/v1
kind: Agent
forEach: ITEMS
metadata: {name: "shop-${each.region}"}   # one for each
spec:
  path: sequentum/Retail/${each.region}
  schedules:
    # first thing in the morning
    - name: nightly
      cron: "${each.nightly_cron:-0 0 2 * * *}"   # UTC!
      startTime: 2026-01-01T02:00:00
      timeZone: "${each.zone}"
      inputParameters: {region: "${each.region}", depth: "3"}
      logLevel: low
    - {name: poll, every: 15m, startTime: 2026-01-01T00:00:00, timeZone: UTC}   # often
"""
ITEMS = {
    "inline": "\n  - {region: prices, zone: Australia/Sydney}  # au\n"
    "  - {region: stock, zone: UTC, nightly_cron: 0 0 4 * * *}",
    "csv": "region,zone,nightly_cron\nprices,Australia/Sydney\nstock,UTC,0 0 4 * * *\n",
    "quoted": '\ufeff"region","zone","nightly_cron"\r\n'
    '"prices","Australia/Sydney",""\r\n\r\n"stock","UTC","0 0 4 * * *"',
    "yaml": "# regions\n- region: prices\n  zone: Australia/Sydney  # au\n"
    "- {region: stock, zone: UTC, nightly_cron: 0 0 4 * * *}\n",
    "json": '[\n  {"region": "prices", "zone": "Australia/Sydney"},\n'
    '  {"region": "stock",\n   "zone": "UTC",\n   "nightly_cron": "0 0 4 * * *"}\n]\n',
}
FORMS = list(ITEMS)


def written(stage: Stage, form: str, manifest: str = MANIFEST) -> None:
    ending = {"inline": "", "quoted": "csv"}.get(form, form)
    if ending:
        (stage.root / "manifests" / f"regions.{ending}").write_bytes(ITEMS[form].encode())
    stage.write(manifest.replace("ITEMS", f"{{file: regions.{ending}}}" if ending else ITEMS[form]))
    assert stage.apply().code == 0


def texts(stage: Stage) -> dict[str, str]:
    return {path.name: path.read_bytes().decode() for path in (stage.root / "manifests").iterdir()}


def moved_lines(stage: Stage, before: dict[str, str]) -> list[tuple[str, str]]:
    """The lines that an accept changed: as they were, and as they are."""
    found = []
    for name, text in texts(stage).items():
        one, two = before[name].split("\n"), text.split("\n")
        assert len(one) == len(two)
        found += [(a.strip("\ufeff\r "), b.strip("\ufeff\r ")) for a, b in zip(one, two, strict=True) if a != b]
    return found


def accepted(stage: Stage, pattern: str = "schedule/*") -> Ended:
    stage.emulator.clear_requests()
    ended = stage.run("accept", pattern)
    assert stage.writes() == []
    return ended


@pytest.fixture(params=FORMS)
def form(stage: Stage, request: pytest.FixtureRequest) -> str:
    written(stage, request.param)
    return str(request.param)


def nightly(stage: Stage, path: str = STOCK) -> Schedule:
    return stage.live("nightly", path)


CELL_SET = {
    "inline": "- {region: stock, zone: UTC, nightly_cron: 0 45 3 * * *}",
    "csv": "stock,UTC,0 45 3 * * *",
    "quoted": '"stock","UTC","0 45 3 * * *"',
    "yaml": "- {region: stock, zone: UTC, nightly_cron: 0 45 3 * * *}",
    "json": '"nightly_cron": "0 45 3 * * *"}',
}
CELL_ADDED = {
    "inline": '- {region: prices, zone: Australia/Sydney, nightly_cron: "0 45 3 * * *"}  # au',
    "csv": "prices,Australia/Sydney,0 45 3 * * *",
    "quoted": '"prices","Australia/Sydney","0 45 3 * * *"',
    "json": '{"region": "prices", "zone": "Australia/Sydney", "nightly_cron": "0 45 3 * * *"},',
}


def test_a_key_that_the_block_asks_for_is_set_in_the_item_and_nowhere_else(stage: Stage, form: str) -> None:
    before = texts(stage)
    nightly(stage).cron = "0 45 3 * * *"
    ended = accepted(stage)
    ((_, now),) = moved_lines(stage, before)
    assert (ended.code, now) == (0, CELL_SET[form])
    assert stage.changes() == []
    assert stage.run("drift").code == 0


def test_an_item_without_the_key_gets_it(stage: Stage, form: str) -> None:
    before = texts(stage)
    nightly(stage, PRICES).cron = "0 45 3 * * *"
    assert accepted(stage).code == 0
    if form == "yaml":
        expected = ITEMS["yaml"].replace("# au\n", '# au\n  nightly_cron: "0 45 3 * * *"\n')
        assert texts(stage)["regions.yaml"] == expected
    else:
        ((_, now),) = moved_lines(stage, before)
        assert now == CELL_ADDED[form]
    assert stage.changes() == []


COLUMN = {
    "csv": [("region,zone,nightly_cron,nightly_loglevel"), "stock,UTC,0 0 4 * * *,high"],
    "quoted": ['"region","zone","nightly_cron","nightly_loglevel"', '"stock","UTC","0 0 4 * * *","high"'],
    "inline": ["- {region: stock, zone: UTC, nightly_cron: 0 0 4 * * *, nightly_loglevel: high}"],
    "yaml": ["- {region: stock, zone: UTC, nightly_cron: 0 0 4 * * *, nightly_loglevel: high}"],
}


def test_what_a_block_says_for_all_becomes_the_default_of_a_new_key(stage: Stage, form: str) -> None:
    before = texts(stage)
    nightly(stage).log_level = 3
    ended = accepted(stage)
    assert (ended.code, stage.changes()) == (0, [])
    if form == "json":
        text = before["regions.json"].replace('* * *"}', '* * *",\n   "nightly_loglevel": "high"}')
        assert texts(stage)["regions.json"] == text
        assert json.loads(text)[1]["nightly_loglevel"] == "high"
    else:
        lines = [now for _, now in moved_lines(stage, before)]
        assert sorted(lines) == sorted([*COLUMN[form], "logLevel: ${each.nightly_loglevel:-low}"])
    after = texts(stage)
    nightly(stage).log_level = 2
    assert accepted(stage).code == 0
    assert after != texts(stage) and len(moved_lines(stage, after)) == 1, "the next time it is the item's alone"
    assert stage.changes() == []


def test_what_a_block_does_not_say_and_parameters_work_the_same(stage: Stage, form: str) -> None:
    nightly(stage).is_enabled = False
    nightly(stage).input_parameters = '{"region":"stock","depth":"x, \\"y\\" ${env:HOME}"}'
    assert accepted(stage).code == 0
    text = texts(stage)["retail.yaml"]
    assert "${each.nightly_enabled:-true}" in text
    assert 'depth: "${each.nightly_depth:-3}"' in text
    assert stage.changes() == []
    assert stage.apply().code == 0
    nightly(stage).is_enabled = True
    nightly(stage).input_parameters = '{"region":"stock","depth":"3"}'
    assert (accepted(stage).code, stage.changes()) == (0, [])
    if form == "csv":
        header, prices, stock = texts(stage)["regions.csv"].splitlines()
        assert prices == "prices,Australia/Sydney"
        assert [name for name, cell in zip(header.split(","), stock.split(","), strict=True) if not cell] == [
            "nightly_depth",
            "nightly_enabled",
        ]


def test_an_interval_that_becomes_cron_is_said_as_cron_for_the_others_too(stage: Stage, form: str) -> None:
    poll = stage.live("poll", STOCK)
    poll.cron = "0 0 5 * * *"
    assert accepted(stage).code == 0
    assert 'cron: "${each.poll_cron:-0 15 0 0}"' in texts(stage)["retail.yaml"]
    assert "every" not in texts(stage)["retail.yaml"]
    assert stage.changes() == []
    stage.live("poll", PRICES).cron, nightly(stage).cron = "0 45 0 0", "0 0 1 0"
    assert (accepted(stage).code, stage.changes()) == (0, [])


def test_what_moved_alike_for_all_items_is_said_by_the_block(stage: Stage, form: str) -> None:
    before = texts(stage)
    for path in (PRICES, STOCK):
        nightly(stage, path).log_level = 3
        nightly(stage, path).input_parameters = f'{{"region":"{path.rpartition("/")[2]}","new":"1"}}'
        stage.live("poll", path).cron = "0 0 3 * * *"
    assert (accepted(stage).code, stage.changes()) == (0, [])
    assert [now for _, now in moved_lines(stage, before)] == [
        'inputParameters: {region: "${each.region}", new: "1"}',
        "logLevel: high",
        '- {name: poll, startTime: 2026-01-01T00:00:00, timeZone: UTC, cron: "0 0 3 * * *"}   # often',
    ]


def test_what_moved_apart_for_several_items_shares_one_key(stage: Stage, form: str) -> None:
    nightly(stage, PRICES).log_level, nightly(stage).log_level = 3, 2
    stage.live("poll", PRICES).cron, stage.live("poll", STOCK).cron = "0 0 3 * * *", "0 45 0 0"
    assert (accepted(stage).code, stage.changes()) == (0, [])
    text = texts(stage)["retail.yaml"]
    assert "logLevel: ${each.nightly_loglevel:-low}" in text
    assert 'cron: "${each.poll_cron:-0 15 0 0}"' in text
    if form == "csv":
        assert texts(stage)["regions.csv"] == (
            "region,zone,nightly_cron,nightly_loglevel,poll_cron\n"
            "prices,Australia/Sydney,,high,0 0 3 * * *\nstock,UTC,0 0 4 * * *,medium,0 45 0 0\n"
        )


def test_both_files_are_one_patch_that_git_takes(stage: Stage) -> None:
    written(stage, "quoted")
    before = texts(stage)
    nightly(stage).log_level, nightly(stage).cron = 3, "0 45 3 * * *"
    shown = stage.run("accept", "schedule/*", "--dry-run")
    assert texts(stage) == before
    subprocess.run(["git", "init", "-q", str(stage.root)], check=True)
    subprocess.run(["git", "-C", str(stage.root), "apply"], input=shown.out.encode(), check=True)
    by_git = texts(stage)
    for name, text in before.items():
        (stage.root / "manifests" / name).write_bytes(text.encode())
    assert accepted(stage).out == shown.out
    assert texts(stage) == by_git != before
    assert "accepted 1 schedule in 2 files" in stage.run("accept", "schedule/*").err or stage.changes() == []


# --- what others use --------------------------------------------------------------------------------------------------


def test_a_key_that_others_use_stays_unless_all_of_them_moved_alike(stage: Stage, form: str) -> None:
    text = texts(stage)["retail.yaml"].replace("timeZone: UTC}", 'timeZone: "${each.zone}"}')
    stage.write(text)
    assert stage.apply().code == 0
    before = texts(stage)
    nightly(stage).time_zone_id, nightly(stage).log_level = "New Zealand Standard Time", 3
    ended = accepted(stage)
    assert ended.code == 4
    line = next(number for number, line in enumerate(text.splitlines(), 1) if "name: poll" in line)
    assert "schedule/shop-stock/nightly: timeZone: its item's zone is for others as well" in ended.err
    assert f"(manifests/retail.yaml:{line})" in ended.err and "region: stock" in ended.err
    for name, one in before.items():
        (stage.root / "manifests" / name).write_bytes(one.encode())
    stage.live("poll", STOCK).time_zone_id = "New Zealand Standard Time"
    nightly(stage).log_level = 1
    assert (accepted(stage).code, stage.changes()) == (0, [])
    ((was, now),) = moved_lines(stage, before)
    assert was.replace("UTC", "New Zealand Standard Time") == now


def test_an_items_file_that_two_documents_share_is_edited_for_the_one(stage: Stage) -> None:
    other = MANIFEST.replace("shop-", "other-").replace("sequentum/Retail/", "sequentum/Other/")
    for name in ("prices", "stock"):
        stage.estate.add_agent(f"sequentum/Other/{name}", duration=0.0)
    stage.write(other.replace("ITEMS", "{file: ./regions.csv}"), "other.yaml")
    written(stage, "csv")
    before = texts(stage)
    nightly(stage).cron = "0 45 3 * * *"
    ended = accepted(stage)
    assert (ended.code, texts(stage)) == (3, before)
    assert "its item's nightly_cron is for others as well" in ended.err and "(manifests/other.yaml:10)" in ended.err
    nightly(stage).cron, nightly(stage).log_level = "0 0 4 * * *", 3
    assert (accepted(stage).code, stage.changes()) == (0, [])
    assert "logLevel: ${each.shop_nightly_loglevel:-low}" in texts(stage)["retail.yaml"]
    assert texts(stage)["other.yaml"] == before["other.yaml"]


def test_what_templates_and_defaults_say_becomes_the_default(stage: Stage) -> None:
    stage.project("  defaults: {schedule: {timeZone: UTC, inputParameters: {mode: full}}}\n")
    template = "apiVersion: reconciler/v1\nkind: ScheduleTemplate\nmetadata: {name: base}\n"
    template += "spec: {every: 15m, logLevel: 2}\n"
    stage.write(template, "templates.yaml")
    text = MANIFEST.replace("name: poll, every: 15m,", "name: poll, use: base,").replace(", timeZone: UTC}", "}")
    written(stage, "csv", text)
    poll = stage.live("poll", STOCK)
    poll.cron, poll.time_zone_id, poll.log_level = "0 0 5 * * *", "New Zealand Standard Time", 0
    poll.input_parameters = '{"mode":"quick"}'
    assert (accepted(stage).code, stage.changes()) == (0, [])
    block = texts(stage)["retail.yaml"].splitlines()[-1]
    assert block == (
        "    - {name: poll, use: base, startTime: 2026-01-01T00:00:00, "
        'cron: "${each.poll_cron:-0 15 0 0}", timeZone: "${each.poll_zone:-UTC}", '
        'inputParameters: {mode: "${each.poll_mode:-full}"}, logLevel: "${each.poll_loglevel:-2}"}   # often'
    )
    assert texts(stage)["templates.yaml"] == template


# --- what cannot be said ----------------------------------------------------------------------------------------------


def test_what_no_item_can_say_is_named_with_its_place_and_nothing_is_written(stage: Stage, form: str) -> None:
    before = texts(stage)
    for parameters, words in (
        ('{"region":"stock"}', "depth: it is gone from ACC, and an item cannot leave it out"),
        ('{"region":"stock","depth":""}', "depth: it is empty in ACC, and an item with nothing there takes"),
        ('{"region":"stock","depth":"3","new":"1"}', "new: the other items do not have it"),
        ('{"region":"nz","depth":"3"}', "region: its item's region is for others as well"),
    ):
        nightly(stage).input_parameters = parameters
        ended = accepted(stage)
        assert (ended.code, texts(stage)) == (3, before)
        assert f"not accepted: schedule/shop-stock/nightly: inputParameters.{words}" in ended.err
        assert ": manifests/retail.yaml:" in ended.err.replace(" at ", ": ") and "item 2 (region: stock)" in ended.err


@pytest.mark.parametrize(
    ("depth", "words"),
    [
        ('"a}b"', "which cannot stand in a default"),
        ('"$${x"', "which cannot stand in a default"),
        ('"${var:zone}"', "it says ${var:zone}"),
        ('"x${each.region}"', "it says x${each.region}"),
    ],
)
def test_what_no_default_can_hold_stays(stage: Stage, depth: str, words: str) -> None:
    written(stage, "csv", MANIFEST.replace('depth: "3"', f"depth: {depth}"))
    before = texts(stage)
    nightly(stage).input_parameters = '{"region":"stock","depth":"5"}'
    ended = accepted(stage)
    assert (ended.code, texts(stage)) == (3, before)
    assert words in ended.err and "manifests/retail.yaml:13:" in ended.err


def test_what_defaults_have_from_a_variable_stays(stage: Stage) -> None:
    stage.project("  defaults: {schedule: {logLevel: '${var:level}'}}\n")
    path = stage.root / "reconciler.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("{zone:", "{level: low, zone:"), encoding="utf-8")
    written(stage, "csv", MANIFEST.replace("      logLevel: low\n", ""))
    before = texts(stage)
    nightly(stage).log_level = 3
    ended = accepted(stage)
    assert (ended.code, texts(stage)) == (3, before)
    assert "${var:level}" in ended.err and "reconciler.yaml:" in ended.err


def test_a_secret_comes_into_no_table(stage: Stage, form: str) -> None:
    text = texts(stage)["retail.yaml"].replace('depth: "3"', 'password: "${env:PASSWORD}"')
    stage.write(text)
    assert stage.apply().code == 0
    before = texts(stage)
    nightly(stage).input_parameters = '{"region":"stock","password":"another-swordfish"}'
    ended = accepted(stage)
    assert (ended.code, texts(stage)) == (3, before)
    assert "inputParameters.password: it is secret" in ended.err
    nightly(stage).input_parameters = json.dumps({"region": "stock", "password": PASSWORD})
    nightly(stage).session_id = PASSWORD
    stage.write(text.replace("logLevel: low", "sessionId: x"))
    accepted(stage)
    assert PASSWORD not in "".join(texts(stage).values()) and "another" not in "".join(texts(stage).values())


def test_a_secret_item_is_left_alone(stage: Stage) -> None:
    items = '\n  - {region: prices, zone: UTC, key: "${env:PASSWORD}"}\n  - {region: stock, zone: UTC, key: open}'
    text = MANIFEST.replace("ITEMS", items).replace('depth: "3"', 'key: "${each.key}"')
    stage.write(text)
    assert stage.apply().code == 0
    for path in (PRICES, STOCK):
        parameters = {"region": path.rpartition("/")[2], "key": f"another-{path}"}
        nightly(stage, path).input_parameters = json.dumps(parameters)
    ended = accepted(stage)
    assert ended.code == 4
    assert texts(stage)["retail.yaml"] == text.replace("key: open", f"key: another-{STOCK}")
    assert f"another-{PRICES}" not in ended.out + ended.err


def test_items_outside_the_project_stay_as_they_are(stage: Stage) -> None:
    outside = stage.root.parent / f"{stage.root.name}-items.csv"
    outside.write_text(ITEMS["csv"], encoding="utf-8")
    stage.write(MANIFEST.replace("ITEMS", f"{{file: ../../{outside.name}}}"))
    assert stage.apply().code == 0
    before = texts(stage)
    nightly(stage).log_level, nightly(stage).cron = 3, "0 45 3 * * *"
    ended = accepted(stage)
    assert (ended.code, texts(stage), outside.read_text(encoding="utf-8")) == (3, before, ITEMS["csv"])
    assert ended.err.count(str(outside)) >= 2


def test_one_file_under_two_names_is_one_file(stage: Stage) -> None:
    """What one document calls `link.csv` another one calls `regions.csv`: a key that both ask for stays theirs."""
    (stage.root / "manifests" / "link.csv").symlink_to("regions.csv")
    for name in ("prices", "stock"):
        stage.estate.add_agent(f"sequentum/Other/{name}", duration=0.0)
    other = MANIFEST.replace("shop-", "other-").replace("sequentum/Retail/", "sequentum/Other/")
    stage.write(other.replace("ITEMS", "{file: link.csv}"), "other.yaml")
    written(stage, "csv")
    nightly(stage).cron = "0 45 3 * * *"
    ended = accepted(stage)
    assert ended.code == 3
    assert "(manifests/other.yaml:10)" in ended.err
    nightly(stage, "sequentum/Other/stock").cron = "0 45 3 * * *"
    assert (accepted(stage).code, stage.changes()) == (0, [])
    assert texts(stage)["regions.csv"] == ITEMS["csv"].replace("0 0 4", "0 45 3")
    assert (stage.root / "manifests" / "link.csv").is_symlink()


@pytest.mark.parametrize(
    ("items", "word"),
    [
        ("*r", "its item is shared through an anchor"),
        ("[&a {region: prices, zone: UTC}, {<<: *a, region: stock}]", ""),
    ],
)
def test_items_behind_anchors_are_edited_where_they_are_their_own(stage: Stage, items: str, word: str) -> None:
    free = "x-r: &r [{region: prices, zone: UTC}, {region: stock, zone: UTC}]\n" if items == "*r" else ""
    stage.write(free + MANIFEST.replace("ITEMS", items))
    assert stage.apply().code == 0
    before = texts(stage)
    nightly(stage).log_level = 3
    ended = accepted(stage)
    if word:
        assert (ended.code, texts(stage)) == (3, before)
        assert word in ended.err
    else:
        assert (ended.code, stage.changes()) == (0, [])
        assert "{<<: *a, region: stock, nightly_loglevel: high}]" in texts(stage)["retail.yaml"]

"""What an editor offers at the cursor, and what it shows under the pointer."""

from __future__ import annotations

from pathlib import Path

import pytest
from language_server import LanguageServer
from manifests_projects import AGENT, PROJECT, TRIGGER

ANY = Path("/nowhere/x.any.yaml")
TEMPLATE = "apiVersion: reconciler/v1\nkind: ScheduleTemplate\nmetadata: {name: nightly}\nspec:\n  cron: 0 0 2 * * *\n"
SETTINGS = {"every", "startTime", "timeZone", "inputParameters", "logLevel", "expect", "use", "protect"}

OFFERED = {
    "kind: |\n": {"Project", "Agent", "ScheduleTemplate", "TaskTrigger"},
    "kind: Agent\n|": {"apiVersion", "metadata", "spec", "forEach"},
    "kind: Agent\nspec:\n  |": {"path", "approval", "inputFiles", "schedules"},
    AGENT + "      |": SETTINGS - {"startTime", "timeZone"},
    AGENT + "      logLevel: |": {"none", "low", "medium", "high"},
    AGENT + "      enabled: |": {"true", "false", "keep"},
    AGENT + "      windowless: |": {"true", "false"},
    AGENT + "      expect:\n        |": {"within", "errors", "dataCount", "runTime"},
    TEMPLATE + "  |": SETTINGS - {"every"},
    f"{AGENT}---\n{TRIGGER}  |": {"parameters", "when", "wait", "retries"},
    PROJECT + "  defaults:\n    |": {"agent", "schedule", "taskTrigger", "jobTrigger"},
    PROJECT + "  defaults:\n    schedule:\n      |": SETTINGS - {"use"} | {"cron"},
    PROJECT + "  policy:\n    environment: |": {"optional", "required"},
    PROJECT + "  environments:\n    prod:\n      policy:\n        prune: |": {"owned", "never"},
}
NOT_OFFERED = {
    AGENT + "      |": {"cron", "name", "path"},  # there already, or of another place
    PROJECT + "  defaults:\n    schedule:\n      |": {"name", "id", "movedFrom", "use"},
    TEMPLATE + "  |": {"name", "id", "movedFrom"},
}


@pytest.mark.parametrize("text", OFFERED)
def test_what_may_stand_here_is_offered(server: LanguageServer, text: str) -> None:
    offered = set(server.completions(ANY, text))
    assert offered >= OFFERED[text]
    assert not offered & NOT_OFFERED.get(text, set())


SHOWN = {
    AGENT.replace("cron", "cr|on"): ("Six fields: second minute hour day month weekday.", "0 0 2 * * MON-FRI"),
    AGENT.replace("timeZone", "time|Zone"): ("An IANA name", "Australia/Sydney"),
    AGENT + "      lo|gLevel: low\n": ("How much a run logs", "`medium`"),
    AGENT + "      logLevel: ${var:le|vel}\n": ("How much a run logs",),
    AGENT + "      pro|tect: true\n": ("Never delete it",),
    AGENT + "      expect: {with|in: 26h}\n": ("How long ago the last good run may be",),
    TEMPLATE.replace("cron", "cr|on"): ("Six fields: second minute hour day month weekday.",),
    f"{AGENT}---\n{TRIGGER}  re|tries: 1\n": ("New starts after a run that is known to have failed.",),
    PROJECT.replace("region", "reg|ion"): ("The region of Automate MFT", "`us`"),
    PROJECT + "  policy: {envi|ronment: required}\n": ("Whether a command has to be given --env",),
    PROJECT + "  defaults: {sched|ule: {}}\n": ("What every schedule has unless it",),
}


@pytest.mark.parametrize("text", SHOWN)
def test_what_a_key_means_is_shown(server: LanguageServer, text: str) -> None:
    shown = server.hover(ANY, text)
    for words in SHOWN[text]:
        assert words in shown

"""The products of a generated history, and what people do there behind the tool's back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from history_manifests import MEANINGS, START, ZONE, Meaning
from stage import TOKEN, as_bytes

from reconciler.emulator import Emulator, Estate, Switches, Task, Tenant, Token
from reconciler.emulator.acc_state import Agent, Schedule
from reconciler.emulator.population import id_source
from reconciler.identity import is_owned, normal_id, owned_id

PATHS = ("sequentum/Retail/prices", "sequentum/Retail/stock", "sequentum/Retail/news")
TASKS = ("Publish prices", "Publish stock", "Send mail")
STRANGERS = (("other", "default"), ("retail", "prod"))
"""Another project, and another environment of this one: their schedules carry marks that are not ours."""


def is_ours(schedule_id: str) -> bool:
    return is_owned(schedule_id, "retail", "default")


def meaning_of(schedule: Schedule) -> Meaning:
    return schedule.cron, schedule.is_enabled


@dataclass
class Snapshot:
    """What was live at one moment: of each schedule its agent's id and all its bytes; and how often each task ran."""

    schedules: dict[str, tuple[str, Mapping[str, object]]]
    runs: Counter[str]

    def agent(self, key: str) -> str:
        """The id of the agent that a schedule belongs to."""
        return self.schedules[key][0]


@dataclass
class World:
    """Three agents with schedules that are nobody's business but their makers'."""

    seed: int
    is_case_blind: bool = False
    estate: Estate = field(init=False)

    def __post_init__(self) -> None:
        self.estate = Estate(tenant=Tenant("tenant-1"), zone="UTC", new_id=id_source(str(self.seed)))
        self.estate.add_token(Token(TOKEN))
        assert self.estate.tenant is not None
        for number, name in enumerate(TASKS):
            self.estate.tenant.add_task(Task(f"0000000{number}-16fe-4493-949b-d77d302a88ee", name, 0.0))
        for path in PATHS:
            self.add_stranger(self.estate.add_agent(path, duration=0.0, approved=False), 0)
        self.add_stranger(self.estate.agents[PATHS[0]], 1)
        self.add_stranger(self.estate.agents[PATHS[1]], 2)

    def switches(self) -> Switches:
        """How this server behaves where the vendors leave it open: drawn once for each history."""
        chance = random.Random(f"switches {self.seed}")
        settings = {
            "path_case": "ignored" if self.is_case_blind else "matters",
            "guid_case": chance.choice(("keep", "keep", "upper", "braces")),
            "foreign_id": chance.choice(("409", "move")),
            "post_reply": chance.choice(("empty", "object")),
            "missing_agent": chance.choice(("404", "403", "null")),
            "empty_list": chance.choice(("list", "null")),
            "delete_unknown": chance.choice(("404", "200")),
        }
        return Switches.of(settings)

    # --- what there is ---------------------------------------------------------------------------------------------

    def at(self, path: str) -> Agent | None:
        """The agent that a path leads to, as this server sees it."""
        found = self.estate.agents.get(path)
        if found is None and self.is_case_blind:
            folded = path.casefold()
            found = next((agent for each, agent in self.estate.agents.items() if each.casefold() == folded), None)
        return found

    def path_of(self, agent_id: str) -> str | None:
        """The path that an agent is called by; None when it is gone."""
        agent = self.estate.agents_by_id.get(normal_id(agent_id))
        return agent.path if agent is not None else None

    def agents(self) -> list[Agent]:
        return sorted(self.estate.agents_by_id.values(), key=lambda agent: agent.agent_id)

    def snapshot(self) -> Snapshot:
        assert self.estate.tenant is not None
        held = {key: (one.agent.agent_id, as_bytes(one)) for key, one in self.estate.schedules.items()}
        return Snapshot(held, Counter(run.task.name for run in self.estate.tenant.runs.values()))

    def strangers(self) -> dict[str, Mapping[str, object]]:
        """All live schedules without our mark."""
        return {key: as_bytes(one) for key, one in sorted(self.estate.schedules.items()) if not is_ours(key)}

    def keep_ids(self, emulator: Emulator, *, keeps: bool) -> None:
        """Whether the server keeps the ids that it is sent, from now on."""
        schedules = emulator.acc.schedules
        schedules.switches = replace(schedules.switches, ignore_new_ids=not keeps)

    # --- what people do --------------------------------------------------------------------------------------------

    def add_stranger(self, agent: Agent, sort: int) -> str:
        """Give an agent a schedule made by hand (sort 0), or by another project or environment (1, 2)."""
        count = len(self.estate.schedules)
        given = "" if sort == 0 else owned_id(*STRANGERS[sort - 1], agent.path, f"s{count}")
        if given in self.estate.schedules:
            return given
        cron = MEANINGS[count % len(MEANINGS)][0]
        made = self.estate.add_schedule(agent, given, cron=cron, start_time=START, time_zone_id=ZONE)
        return normal_id(made.schedule_id)

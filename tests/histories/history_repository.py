"""Steps of a generated history in which somebody works in ACC's own pages, behind the tool's back."""

from __future__ import annotations

from dataclasses import dataclass, field

from history_edits import Edits, chosen
from history_manifests import MEANINGS, NAMES, Document
from history_world import meaning_of

from reconciler.emulator import alias_agent, move_agent, remake_agent, remove_agent
from reconciler.emulator.acc_state import Schedule
from reconciler.identity import normal_id


@dataclass
class Repository(Edits):
    """Agents that move, and schedules that are edited by hand."""

    moves: int = field(default=0)

    def move(self, a: int, b: int) -> str:
        """An agent gets another path in ACC; with an odd b its document follows, and nothing is to be sent."""
        found = self.pick_document(a)
        if found is None or self.model.conflicts():
            return ""
        document, agent = found
        self.moves += 1
        before = agent.path
        to = f"sequentum/Moved/{agent.path.rpartition('/')[2]}-{self.moves}"
        for path in [path for path, one in self.world.estate.agents.items() if one is agent and path != before]:
            del self.world.estate.agents[path]
        move_agent(self.world.estate, before, to)
        self.model.dirty.add(f"moved {document.uid}")
        said = f"move the agent {before} to {to}"
        return f"{said}; {self.lead_to_agent(document, b // 2)}" if b % 2 else said

    def follow(self, a: int, b: int) -> str:
        """Give the document of a moved agent the agent's new path."""
        lost = [one for one in self.manifests.documents if self.world.at(one.path) is None]
        document = chosen(lost, a)
        return self.lead_to_agent(document, b) if document is not None else ""

    def lead_to_agent(self, document: Document, b: int) -> str:
        """Correct the path of a document whose agent was moved; "" when it is gone for good."""
        to = self.world.path_of(self.model.agent_ids.get(document.uid, ""))
        if to is None or self.is_path_taken(to, document):
            return ""
        self._turn(document, to, says_so=b % 2 == 1)
        self.model.dirty.discard(f"moved {document.uid}")
        return f"the path of {document.handle} becomes {to}{', with movedFrom' if b % 2 else ''}"

    def _turn(self, document: Document, path: str, *, says_so: bool) -> None:
        """Give a document another path; one alone can have had the former."""
        before, document.path = document.path, path
        for each in self.manifests.documents:
            if each.path_moved_from == before:
                each.path_moved_from = ""
        document.path_moved_from = before if says_so else ""

    def alias(self, a: int, b: int) -> str:
        """A second path to an agent, which its document takes: nothing is to be sent."""
        found = self.pick_document(a)
        if found is None or self.model.conflicts():
            return ""
        document, agent = found
        self.moves += 1
        to = f"sequentum/Alias/{self.moves}"
        alias_agent(self.world.estate, agent.path, to)
        self._turn(document, to, says_so=b % 2 == 1)
        return f"{agent.path} is {to} as well, and {document.handle} says so{', with movedFrom' if b % 2 else ''}"

    def declare_twice(self, a: int, b: int) -> str:
        """A second document of one agent, by another path: an error that names both."""
        found, handle = self.pick_document(a), self.free_handle(b)
        if found is None or handle is None:
            return ""
        document, agent = found
        self.moves += 1
        to = f"sequentum/Twice/{self.moves}"
        alias_agent(self.world.estate, agent.path, to)
        made = Document(next(self.manifests.numbers), handle, to, [self.make_block(NAMES[b % len(NAMES)], b)])
        self.manifests.documents.append(made)
        self.model.dirty.add("an agent is declared twice")
        return f"declare the agent of {document.handle} once more as {handle}, by {to}"

    def respell(self, a: int, b: int) -> str:
        """The same path in another case, where the server does not mind."""
        document = chosen(self.manifests.documents, a)
        if document is None or not self.world.is_case_blind:
            return ""
        head, _, tail = document.path.rpartition("/")
        document.path = f"{head}/{tail.swapcase()}"
        return f"spell the path of {document.handle} {document.path}"

    def remake(self, a: int, b: int) -> str:
        """An agent is deleted and made anew at its path: it has nothing any more."""
        agent = chosen(self.world.agents(), a)
        if agent is None:
            return ""
        self.forget(list(agent.schedules.values()))
        made = remake_agent(self.world.estate, agent.path)
        key = self.world.add_stranger(made, 0)
        self.model.foreign[key] = self.world.strangers()[key]
        self.model.dirty.add("an agent was made anew")
        return f"make the agent {agent.path} anew"

    def remove_agent(self, a: int, b: int) -> str:
        agent = chosen(self.world.agents(), a)
        if agent is None or len(self.world.agents()) < 3:
            return ""
        self.forget(list(agent.schedules.values()))
        remove_agent(self.world.estate, agent.path)
        self.model.dirty.add("an agent was deleted")
        return f"delete the agent {agent.path}"

    # --- schedules -------------------------------------------------------------------------------------------------

    def edit_live(self, a: int, b: int) -> str:
        schedule = chosen(self.live(ours=True), a)
        if schedule is None:
            return ""
        at = next((number for number, one in enumerate(MEANINGS) if one[0] == schedule.cron), 0)
        schedule.cron = MEANINGS[(at + 1 + b) % len(MEANINGS)][0]
        self.model.dirty.add("edited by hand")
        return f"by hand: {schedule.schedule_id} runs at {schedule.cron}"

    def switch_live(self, a: int, b: int) -> str:
        schedule = chosen(self.live(ours=True), a)
        if schedule is None:
            return ""
        schedule.is_enabled = not schedule.is_enabled
        self.model.dirty.add("switched by hand")
        return f"by hand: {schedule.schedule_id} enabled {schedule.is_enabled}"

    def delete_live(self, a: int, b: int) -> str:
        schedule = chosen(self.live(ours=True), a)
        if schedule is None:
            return ""
        self.forget([schedule])
        self.world.estate.remove_schedule(schedule.schedule_id)
        self.model.dirty.add("deleted by hand")
        return f"by hand: delete {schedule.schedule_id}"

    def add_stranger(self, a: int, b: int) -> str:
        agent = chosen(self.world.agents(), a)
        if agent is None:
            return ""
        key = self.world.add_stranger(agent, b % 3)
        self.model.foreign[key] = self.world.strangers()[key]
        return f"somebody adds {key} to {agent.path}"

    def edit_stranger(self, a: int, b: int) -> str:
        strangers = [one for one in self.live(ours=False) if normal_id(one.schedule_id) in self.model.foreign]
        schedule = chosen(strangers, a)
        if schedule is None:
            return ""
        before = meaning_of(schedule)
        schedule.cron, schedule.is_enabled = MEANINGS[b % len(MEANINGS)][0], b % 2 == 0
        key = normal_id(schedule.schedule_id)
        self.model.foreign[key] = self.world.strangers()[key]
        if key in self.manifests.adopted() and meaning_of(schedule) != before:
            self.model.dirty.add("a schedule that is to be adopted was edited")
        return f"somebody edits {key}"

    def forget(self, schedules: list[Schedule]) -> None:
        for schedule in schedules:
            key = normal_id(schedule.schedule_id)
            self.model.foreign.pop(key, None)
            self.model.protected.discard(key)

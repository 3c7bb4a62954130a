"""The model of a few lines: what must not happen to a generated history, whatever is done in it.

It keeps sets of ids and believes nothing that the tool says but exit code 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from history_manifests import Block, Document, Manifests, Meaning, Trigger
from history_world import Snapshot, World, is_ours, meaning_of

from reconciler.emulator.acc_state import Agent, Schedule
from reconciler.identity import owned_id


@dataclass(frozen=True)
class Home:
    """Where a block's schedule was found after the last apply that reached everything."""

    schedule_id: str
    agent_id: str
    name: str
    meaning: Meaning
    document: int


@dataclass
class Model:
    """What must hold.

    `foreign` schedules are kept byte for byte. `protected` ones stay, and `maybe_protected` ones may. `homes` are the
    schedules of declared blocks; `agent_ids` and `agents_at` what documents and paths led to. `started` is the key that
    each trigger's task was last started for; those that are `startable` may start once more all the same. `strays`
    were made by a server that ignores ids. `dirty` says why the next apply may write something.
    """

    world: World
    manifests: Manifests
    foreign: dict[str, Mapping[str, object]] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)
    maybe_protected: set[str] = field(default_factory=set)
    homes: dict[int, Home] = field(default_factory=dict)
    places: dict[int, tuple[str, str]] = field(default_factory=dict)
    started: dict[str, str] = field(default_factory=dict)
    startable: set[str] = field(default_factory=set)
    known_agents: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    agent_ids: dict[int, str] = field(default_factory=dict)
    agents_at: dict[str, str] = field(default_factory=dict)
    dirty: set[str] = field(default_factory=lambda: {"nothing was applied yet"})
    unsure: set[int] = field(default_factory=set)
    strays: set[str] = field(default_factory=set)
    remembered_strays: set[str] = field(default_factory=set)
    is_remembered: bool = False
    is_lost: bool = False

    def note_agents(self) -> None:
        """Remember which agent each document leads to, for when it is moved."""
        for document in self.manifests.documents:
            agent = self.world.at(document.path)
            if agent is not None:
                self.agent_ids[document.uid] = self.agents_at[document.path] = agent.agent_id

    # --- what is declared, and where it lives ----------------------------------------------------------------------

    def conflicts(self) -> list[tuple[Document, Document]]:
        """Documents that lead to one agent: an error that names both."""
        seen: dict[str, Document] = {}
        found = []
        for document in self.manifests.documents:
            agent = self.world.at(document.path)
            if agent is not None:
                first = seen.setdefault(agent.agent_id, document)
                if first is not document:
                    found.append((first, document))
        return found

    def declared(self) -> set[str]:
        """Ids of live schedules that a block means beyond doubt: nothing may delete them."""
        found = set()
        for document in self.manifests.documents:
            agent = self.world.at(document.path)
            for block in document.blocks if agent is not None else ():
                assert agent is not None
                found |= {one for one in self._meant(agent, document, block) if one in agent.schedules}
        return found

    def _meant(self, agent: Agent, document: Document, block: Block) -> set[str]:
        if block.adopts:
            return {block.adopts}
        if document.uid in self.unsure:
            return set()
        derived = owned_id("retail", "default", document.path, block.name)
        if not self.is_remembered and derived in agent.schedules:
            return {derived}
        here = (agent.agent_id, document.uid)
        known = {one.name: one for one in self.homes.values() if (one.agent_id, one.document) == here}
        own = self.homes.get(block.uid)
        home = known.get(block.name, own) if self.is_remembered else own
        if block.moved_from and home is not own:
            return set()  # one that takes the name of another may be either
        if home is None or home.agent_id != agent.agent_id or home.schedule_id not in agent.schedules:
            return set()
        by_name = home.name in (block.name, block.moved_from)
        is_meant = by_name if self.is_remembered else home.schedule_id in self._derived(document, block)
        live = agent.schedules[home.schedule_id]
        return {home.schedule_id} if is_meant or self._is_the_only_one(agent, document, block, live) else set()

    @staticmethod
    def _derived(document: Document, block: Block) -> set[str]:
        """The ids that a block's schedule can have without any memory."""
        paths = {document.path, document.path_moved_from} - {""}
        names = {block.name, block.moved_from} - {""}
        return {owned_id("retail", "default", path, name) for path in paths for name in names}

    def home_of(self, block: Block) -> str:
        home = self.homes.get(block.uid)
        return home.schedule_id if home is not None else ""

    def _is_the_only_one(self, agent: Agent, document: Document, block: Block, live: Schedule) -> bool:
        """Whether a block and a live schedule find each other by their meaning."""
        alike = [one for key, one in agent.schedules.items() if is_ours(key) and meaning_of(one) == block.meaning]
        is_protected = live.schedule_id in self.protected
        alone = alike == [live] and document.meanings()[block.meaning] == 1
        return alone and (block.protect or not is_protected)

    def stays(self, *, destroy: bool) -> set[str]:
        """Ids that a run may not delete, whatever becomes of it."""
        kept = {
            home.schedule_id
            for document in self.manifests.documents
            for block in document.blocks
            if block.protect and (home := self.homes.get(block.uid)) is not None and home.schedule_id in self.declared()
        }
        return self.protected | kept | (set() if destroy else self.declared())

    def has_drifted(self) -> bool:
        """Whether a declared schedule is not as the last apply left it."""
        live = self.world.estate.schedules
        declared = {block.uid for document in self.manifests.documents for block in document.blocks}
        homes = [home for uid, home in self.homes.items() if uid in declared]
        return any(one.schedule_id not in live or meaning_of(live[one.schedule_id]) != one.meaning for one in homes)

    def known_strays(self) -> set[str]:
        """Live schedules that the server made under ids of its own, which the ledger knows and no manifest declares."""
        return self.remembered_strays & self.world.estate.schedules.keys() - self.manifests.adopted()

    def note_half_done(self) -> None:
        """After a run that did not reach everything: what has another name than before may be known by either."""
        for document in self.manifests.documents:
            agent = self.world.at(document.path)
            others = {home.document for home in self.homes.values() if agent and home.agent_id == agent.agent_id}
            if others - {document.uid}:
                self.unsure |= others | {document.uid}
            homes = {block.uid: self.homes.get(block.uid) for block in document.blocks}
            if any((home := homes[one.uid]) is not None and home.name != one.name for one in document.blocks):
                self.unsure.add(document.uid)

    # --- before a run ----------------------------------------------------------------------------------------------

    def before_writing(self) -> None:
        """What a run that may write could learn, even if it ends half-way: an adoption, the end of a protection."""
        for document in self.manifests.documents:
            agent = self.world.at(document.path)
            for block in document.blocks:
                home = self.homes.get(block.uid)
                if agent is not None and block.protect:
                    alike = [key for key, one in agent.schedules.items() if meaning_of(one) == block.meaning]
                    self.maybe_protected |= {*alike, self.home_of(block), block.adopts}
                    self.maybe_protected |= self._derived(document, block)
                if home is not None and not block.protect:
                    self.protected.discard(home.schedule_id)
                if agent is not None and block.adopts in agent.schedules:
                    if meaning_of(agent.schedules[block.adopts]) == block.meaning:
                        self.foreign.pop(block.adopts, None)
                    if not block.protect:
                        self.protected.discard(block.adopts)

    def loss_shows(self) -> bool:
        """Whether live schedules, or an agent that cannot be found, tell that the ledger was lost."""
        agents = [self.world.at(document.path) for document in self.manifests.documents]
        return any(agent is None or any(map(is_ours, agent.schedules)) for agent in agents)

    def lose_ledger(self) -> None:
        self.is_lost = True
        self.is_remembered = False
        self.protected.clear()
        self.known_agents.clear()
        self.remembered_strays.clear()
        self.foreign = dict(self.world.strangers())
        self.dirty.add("the ledger was lost")

    # --- after every run -------------------------------------------------------------------------------------------

    def check_nothing_is_broken(
        self, before: Snapshot, stays: set[str], *, may_delete: bool, may_stray: int, was_seen: bool
    ) -> None:
        """Nothing foreign touched, nothing deleted that stays, nothing made that is not ours."""
        now = self.world.snapshot()
        for key, held in self.foreign.items():
            assert key in now.schedules, f"the foreign schedule {key} is gone"
            assert now.schedules[key] == (before.agent(key), held), f"the foreign schedule {key} was changed"
        gone = before.schedules.keys() - now.schedules.keys()
        assert may_delete or not gone, f"a run that deletes nothing deleted {sorted(gone)}"
        assert not gone & stays, f"deleted, although protected or declared: {sorted(gone & stays)}"
        made = now.schedules.keys() - before.schedules.keys()
        strays = {key for key in made if not is_ours(key)} - self.manifests.adopted()
        assert len(strays) <= may_stray, f"made without our mark: {sorted(strays)}"
        for key in strays:
            self.foreign[key] = now.schedules[key][1]
            self.strays.add(key)
            self.remembered_strays |= {key} if was_seen else set()
        moved = [key for key in now.schedules.keys() & before.schedules if now.agent(key) != before.agent(key)]
        assert not moved, f"moved to another agent: {moved}"

    def check_starts(self, before: Snapshot, *, may_start: bool, in_doubt: Collection[str]) -> None:
        """No task was started twice for one key, and none by a run that must not start any."""
        new = self.world.snapshot().runs - before.runs
        for trigger in self.manifests.triggers:
            count = new.pop(trigger.task, 0)
            if not count:
                continue
            key = self.manifests.key(trigger)
            assert may_start, f"{trigger.name} was started by a run that must not start it"
            assert trigger.name not in in_doubt, f"{trigger.name} was started, and nobody knew how its last start ended"
            assert count == 1, f"{trigger.name} was started {count} times at once"
            may_start_again = trigger.name in self.startable or self._may_seem_other(trigger)
            is_again = self.started.get(trigger.name) == key and not may_start_again
            assert not is_again, f"{trigger.name} was started again for the same key"
            self.started[trigger.name] = key
            self.startable.discard(trigger.name)
        assert not new, f"tasks that nothing declares were started: {dict(new)}"

    def _may_seem_other(self, trigger: Trigger) -> bool:
        """Whether neither an agent nor `movedFrom` tells that a handle is another one's new name."""
        for uid, _ in trigger.watches:
            document, place = self.manifests.document(uid), self.places.get(uid)
            agent = self.world.at(document.path) if document is not None else None
            if document is None or place is None or agent is None:
                continue
            handle, agent_id = place
            is_same = self.is_remembered and agent.agent_id == agent_id
            has_another = any(agent.agent_id == other for each, (_, other) in self.places.items() if each != uid)
            if not is_same and (has_another or handle not in (document.handle, document.handle_moved_from)):
                return True
        return False

    # --- after a run that says that all is done --------------------------------------------------------------------

    def check_reached(self, *, protected_stay: bool) -> None:
        """All that is declared is so, exactly once, on the right agent, and nothing else of ours is there."""
        for document in self.manifests.documents:
            agent = self.world.at(document.path)
            assert agent is not None, f"{document.path} leads nowhere, and the apply says that all is done"
            left = Counter(map(meaning_of, self._ours(agent))) - document.meanings()
            kept = Counter(meaning_of(one) for key, one in agent.schedules.items() if key in self.maybe_protected)
            assert not left - (kept if protected_stay else Counter()), f"too much on {agent.path}: {left}"
            missing = document.meanings() - Counter(map(meaning_of, self._ours(agent)))
            assert not missing, f"missing on {agent.path}: {missing}"
            assert document.approved in (None, agent.approved), f"approval of {agent.path}"
            files = {name: file.content.decode() for name, file in agent.input_files.items()}
            assert document.files.items() <= files.items(), f"files of {agent.path}: {files}"
            assert not (document.exclusive and document.files) or files == document.files, f"files of {agent.path}"
        declared = {agent.agent_id for one in self.manifests.documents if (agent := self.world.at(one.path))}
        for agent in self.world.agents():
            if agent.agent_id in self.known_agents - declared - self.given_up:
                strays = [key for key in agent.schedules if is_ours(key) and key not in self.maybe_protected]
                assert not strays, f"left behind on {agent.path}: {strays}"
        for trigger in self.manifests.triggers:
            due = self.started.get(trigger.name) != self.manifests.key(trigger)
            assert not due, f"{trigger.name} was not started, and the apply says that all is done"

    def forget_starts(self) -> None:
        """The ledger knows of no start any more, or need not."""
        self.startable |= self.started.keys()

    def _ours(self, agent: Agent) -> list[Schedule]:
        adopted = self.manifests.adopted()
        return [one for key, one in agent.schedules.items() if is_ours(key) or key in adopted]

    def settle(self) -> None:
        """Remember where everything was found, after a run that reached it all."""
        homes, self.homes = self.homes, {}
        for document in self.manifests.documents:
            agent = self.world.at(document.path)
            assert agent is not None
            self.given_up.discard(agent.agent_id)
            self.places[document.uid] = document.handle, agent.agent_id
            for block in document.blocks:
                former = homes.get(block.uid)
                at = self._found(agent, block, former)
                if at is None:
                    continue
                self.homes[block.uid] = Home(at, agent.agent_id, block.name, block.meaning, document.uid)
                (self.protected.add if block.protect else self.protected.discard)(at)
                self.maybe_protected |= {at} if block.protect else set()
        self.known_agents = {agent.agent_id for one in self.manifests.documents if (agent := self.world.at(one.path))}
        self.known_agents |= {
            one.agent.agent_id for key, one in self.world.estate.schedules.items() if key in self.protected
        }
        self.is_remembered = True
        self.unsure.clear()
        self.dirty.clear()

    def _found(self, agent: Agent, block: Block, former: Home | None) -> str | None:
        """The one schedule that a block can mean; the former one, where several mean the same."""
        if block.adopts:
            return block.adopts
        taken = {home.schedule_id for home in self.homes.values()}
        free = [key for key in agent.schedules if is_ours(key) and key not in taken | self.manifests.adopted()]
        alike = [key for key in free if meaning_of(agent.schedules[key]) == block.meaning]
        if former is not None and former.schedule_id in alike:
            return former.schedule_id
        return alike[0] if len(alike) == 1 else None

"""Steps of a generated history in which somebody edits the manifests."""

from __future__ import annotations

from dataclasses import dataclass

from history_edits import Edits, chosen
from history_manifests import FILES, MEANINGS, NAMES, Block, Document, Trigger
from history_world import TASKS, is_ours, meaning_of


@dataclass
class Declaring(Edits):
    """Edits of documents, schedules and triggers. What sends nothing leaves the model as it is: not `dirty`."""

    def add_document(self, a: int, b: int) -> str:
        agent, handle = self.undeclared_agent(a), self.free_handle(b)
        if agent is None or handle is None:
            return ""
        made = Document(next(self.manifests.numbers), handle, agent.path)
        made.blocks = [self.make_block(NAMES[b % len(NAMES)], a), self.make_block(NAMES[(b + 1) % len(NAMES)], a + 1)]
        made.approved = (None, True, False)[b % 3]
        made.files = {FILES[a % 2]: f"u\n{made.uid}\n"} if b % 2 else {}
        self.manifests.documents.append(made)
        self.model.dirty.add("a document was added")
        return f"declare {handle} at {agent.path} with {[block.name for block in made.blocks]}"

    def remove_document(self, a: int, b: int) -> str:
        document = chosen(self.manifests.documents, a)
        if document is None:
            return ""
        self.manifests.documents.remove(document)
        self.model.dirty.add("a document was removed")
        return f"remove the document of {document.handle}"

    def rename_handle(self, a: int, b: int) -> str:
        """A new handle: with `movedFrom` or without, nothing is to be sent."""
        document, handle = chosen(self.manifests.documents, a), self.free_handle(b)
        if document is None or handle is None:
            return ""
        before, document.handle = document.handle, handle
        self._came_from(document, before if b % 2 else "")
        return f"rename the handle {before} to {handle}{', with movedFrom' if b % 2 else ''}"

    def _came_from(self, document: Document, handle: str) -> None:
        """One document alone can have had a handle: whoever said so before says it no more."""
        for each in self.manifests.documents:
            if each.handle_moved_from == handle:
                each.handle_moved_from = ""
        document.handle_moved_from = handle

    def swap_handles(self, a: int, b: int) -> str:
        if len(self.manifests.documents) < 2:
            return ""
        first = self.manifests.documents[a % len(self.manifests.documents)]
        second = self.manifests.documents[(a + 1) % len(self.manifests.documents)]
        first.handle, second.handle = second.handle, first.handle
        first.handle_moved_from = second.handle_moved_from = ""
        return f"swap the handles {first.handle} and {second.handle}"

    def reorder(self, a: int, b: int) -> str:
        self.manifests.documents.reverse()
        for document in self.manifests.documents:
            document.blocks.reverse()
        return "turn the order of all documents and schedules round"

    def change_path(self, a: int, b: int) -> str:
        """A document turns to another agent: what it declared on the former one is declared no more."""
        document, agent = chosen(self.manifests.documents, a), self.undeclared_agent(b)
        if document is None or agent is None:
            return ""
        document.path, document.path_moved_from = agent.path, ""
        for block in document.blocks:
            block.adopts = block.moved_from = ""
        self.model.dirty.add("a document turned to another agent")
        return f"the path of {document.handle} becomes that of another agent, {agent.path}"

    def set_approval(self, a: int, b: int) -> str:
        document = chosen(self.manifests.documents, a)
        if document is None:
            return ""
        document.approved = (None, True, False)[b % 3]
        self.model.dirty.add("an approval was edited")
        return f"approval of {document.handle}: {document.approved}"

    def set_file(self, a: int, b: int) -> str:
        document = chosen(self.manifests.documents, a)
        if document is None:
            return ""
        name = FILES[b % len(FILES)]
        if b % 5 == 4:
            document.files.pop(name, None)
        else:
            document.files[name] = f"u\n{next(self.manifests.numbers)}\n"
        document.exclusive = b % 3 == 0
        self.model.dirty.add("input files were edited")
        return f"input files of {document.handle}: {document.files}, exclusive {document.exclusive}"

    # --- schedules -------------------------------------------------------------------------------------------------

    def add_schedule(self, a: int, b: int) -> str:
        document = chosen(self.manifests.documents, a)
        name = self.free_name(document, b) if document is not None else None
        if document is None or name is None:
            return ""
        block = self.make_block(name, b)
        block.protect = b % 4 == 3
        document.blocks.append(block)
        self.model.dirty.add("a schedule was added")
        return f"add {document.handle}/{name}: {MEANINGS[block.when][1]}{', protected' if block.protect else ''}"

    def remove_schedule(self, a: int, b: int) -> str:
        found = self.pick_schedule(a)
        if found is None:
            return ""
        document, block = found
        document.blocks.remove(block)
        self.model.dirty.add("a schedule was removed")
        return f"remove {document.handle}/{block.name}"

    def edit_schedule(self, a: int, b: int) -> str:
        found = self.pick_schedule(a)
        if found is None:
            return ""
        document, block = found
        block.when = (block.when + 1 + b) % len(MEANINGS)
        self.model.dirty.add("a schedule was edited")
        return f"edit {document.handle}/{block.name}: {MEANINGS[block.when][1]}"

    def switch_schedule(self, a: int, b: int) -> str:
        found = self.pick_schedule(a)
        if found is None:
            return ""
        document, block = found
        block.enabled = not block.enabled
        self.model.dirty.add("a schedule was switched")
        return f"enabled of {document.handle}/{block.name}: {block.enabled}"

    def rename_schedule(self, a: int, b: int) -> str:
        """A new name: nothing is to be sent, unless the name or the meaning could be taken for another's."""
        found = self.pick_schedule(a)
        name = self.free_name(found[0], b) if found is not None else None
        if found is None or name is None:
            return ""
        document, block = found
        home = self.model.homes.get(block.uid)
        before, block.name = block.name, name
        self._had_name(document, block, home.name if b % 2 and home is not None and home.name != name else "")
        self._judge_rename(document, block)
        return f"rename {document.handle}/{before} to {name}{', with movedFrom' if block.moved_from else ''}"

    @staticmethod
    def _had_name(document: Document, block: Block, name: str) -> None:
        """One block alone can have had a name."""
        for each in document.blocks:
            if each.moved_from == name:
                each.moved_from = ""
        block.moved_from = name

    def _judge_rename(self, document: Document, block: Block) -> None:
        others = [one for one in document.blocks if one is not block]
        homes = [home for one in others if (home := self.model.homes.get(one.uid)) is not None]
        is_alike = any(one.meaning == block.meaning for one in others) and not block.moved_from
        if any(home.name == block.name for home in homes) or is_alike:
            self.model.dirty.add("a rename that can be taken for something else")

    def swap_names(self, a: int, b: int) -> str:
        document = chosen(self.manifests.documents, a)
        if document is None or len(document.blocks) < 2:
            return ""
        first, second = document.blocks[0], document.blocks[1]
        first.name, second.name = second.name, first.name
        for block in (first, second):
            home = self.model.homes.get(block.uid)
            self._had_name(document, block, home.name if b % 2 and home is not None and home.name != block.name else "")
        if first.meaning != second.meaning:
            self.model.dirty.add("names were swapped")
        return f"swap {document.handle}/{first.name} and {second.name}{', with movedFrom' if b % 2 else ''}"

    def protect(self, a: int, b: int) -> str:
        found = self.pick_schedule(a)
        if found is None:
            return ""
        document, block = found
        block.protect = not block.protect
        return f"protect of {document.handle}/{block.name}: {block.protect}"

    def adopt(self, a: int, b: int) -> str:
        """Declare a schedule that exists already: as it is, or (rarely) differently, which must not touch it."""
        found = self.pick_document(a)
        if found is None:
            return ""
        document, agent = found
        strangers = [key for key in agent.schedules if not is_ours(key) and key not in self.manifests.adopted()]
        identity, name = chosen(strangers, b), self.free_name(document, b)
        if identity is None or name is None:
            return ""
        cron, enabled = meaning_of(agent.schedules[identity])
        when = next((at for at, one in enumerate(MEANINGS) if one[0] == cron), 0)
        when = (when + 1) % len(MEANINGS) if b % 4 == 3 else when
        block = Block(next(self.manifests.numbers), name, when, enabled, protect=b % 3 == 0, adopts=identity)
        document.blocks.append(block)
        self.model.dirty.add("a schedule is adopted")
        return f"adopt {identity} as {document.handle}/{name}{', declared otherwise' if b % 4 == 3 else ''}"

    def drop_id(self, a: int, b: int) -> str:
        """Leave an adopted schedule to its maker: its name now means one of our own."""
        adopted = [(one, block) for one in self.manifests.documents for block in one.blocks if block.adopts]
        found = chosen(adopted, a)
        if found is None:
            return ""
        document, block = found
        home = self.model.homes.get(block.uid)
        if block.adopts in self.world.estate.schedules and home is not None and home.name == block.name:
            self.model.foreign[block.adopts] = self.world.strangers()[block.adopts]
            self.model.protected.discard(block.adopts)
        identity, block.adopts = block.adopts, ""
        self.model.dirty.add("an adopted schedule is left")
        return f"take the id {identity} out of {document.handle}/{block.name}"

    # --- triggers --------------------------------------------------------------------------------------------------

    def add_trigger(self, a: int, b: int) -> str:
        task = chosen([task for task in TASKS if all(one.task != task for one in self.manifests.triggers)], a)
        if task is None:
            return ""
        watches = [(one.uid, ("files", "schedules")[(a + b) % 2]) for one in self.manifests.documents[: b % 3]]
        name = f"t{TASKS.index(task)}"
        revision = next(self.manifests.numbers)
        self.manifests.triggers.append(Trigger(name, task, revision, waits=b % 4 == 0, watches=watches))
        self.model.dirty.add("a trigger was added")
        return f"declare the trigger {name}, watching {watches}"

    def remove_trigger(self, a: int, b: int) -> str:
        trigger = chosen(self.manifests.triggers, a)
        if trigger is None:
            return ""
        self.manifests.triggers.remove(trigger)
        self.model.dirty.add("a trigger was removed")
        return f"remove the trigger {trigger.name}"

    def bump_revision(self, a: int, b: int) -> str:
        trigger = chosen(self.manifests.triggers, a)
        if trigger is None:
            return ""
        trigger.revision = next(self.manifests.numbers)
        self.model.dirty.add("a revision was raised")
        return f"revision of {trigger.name}: {trigger.revision}"

"""The input-file calls of the emulated ACC: what was sent is held byte for byte."""

from __future__ import annotations

import re

from reconciler.emulator.reply import Call, Refusal, Reply
from reconciler.emulator.state import Agent, InputFile
from reconciler.emulator.switches import Switches

_BOUNDARY = re.compile(r'boundary=(?:"(?P<quoted>[^"]+)"|(?P<plain>[^;\s]+))', re.IGNORECASE)
_NAME = re.compile(r'filename="(?P<name>(?:[^"\\]|\\.)*)"', re.IGNORECASE)
_EXTENDED_NAME = re.compile(r"filename\*=utf-8''(?P<name>[^;\s]+)", re.IGNORECASE)
_ENDINGS = (".csv", ".txt", ".zip")


class Inputs:
    """Add, upload, delete and disable an agent's input files."""

    def __init__(self, switches: Switches) -> None:
        self.switches = switches

    def put_csv(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Add or update agent input data."""
        name = call.query.get("name", "")
        if not name.lower().endswith(".csv") or not is_plain_name(name):
            raise Refusal(400, "name must be a file name that ends with .csv")
        self._store(agent, name, call.body)
        return Reply(effect="input-stored")

    def upload(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Upload agent input files. All of them, or none when one is refused."""
        files = read_multipart(call.headers.get("Content-Type", ""), call.body)
        if not files:
            raise Refusal(400, "The request holds no files")
        for name, _ in files:
            if not name.lower().endswith(_ENDINGS) or not is_plain_name(name):
                raise Refusal(400, f"{name!r} is no .csv, .txt or .zip file")
        for name, content in files:
            self._store(agent, name, content)
        return Reply(effect="inputs-stored")

    def delete_all(self, agent: Agent) -> Reply:
        """Sequentum ACC, API Access: Delete all agent input files."""
        agent.input_files.clear()
        return Reply(effect="inputs-deleted")

    def disable_all(self, agent: Agent) -> Reply:
        """Sequentum ACC, API Access: Disable All Agent Input Files."""
        for held in agent.input_files.values():
            held.enabled = False
        return Reply(effect="inputs-disabled")

    def _store(self, agent: Agent, name: str, content: bytes) -> None:
        held = agent.input_files.get(name)
        if held is None:
            agent.input_files[name] = InputFile(name, content)
            return
        held.content = content
        held.uploads += 1
        held.enabled = held.enabled or self.switches.upload_enables


def is_plain_name(name: str) -> bool:
    return bool(name.strip(". ")) and not any(mark in name for mark in "/\\\0\r\n")


def read_multipart(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    """File names and contents of a multipart/form-data body, untouched. Raises Refusal: 415 or 400."""
    match = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or match is None:
        raise Refusal(415, "The request's content type must be multipart/form-data with a boundary")
    mark = b"--" + (match["quoted"] or match["plain"]).encode()
    first, *parts = (b"\r\n" + body).split(b"\r\n" + mark)
    if not parts or parts[-1].strip() != b"--" or first.strip():
        raise Refusal(400, "The multipart body is not complete")
    files = []
    for part in parts[:-1]:
        head, blank, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = _file_name(head.decode("utf-8", "replace"))
        if blank and name:
            files.append((name, content))
    return files


def _file_name(head: str) -> str:
    if extended := _EXTENDED_NAME.search(head):
        from urllib.parse import unquote

        return unquote(extended["name"])
    plain = _NAME.search(head)
    return re.sub(r"\\(.)", r"\1", plain["name"]).replace("%22", '"') if plain else ""

"""The input-file calls of the emulated ACC: what was sent is held byte for byte, and a zip file as what is in it."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from urllib.parse import unquote

from reconciler.emulator.acc_state import Agent, InputFile
from reconciler.emulator.reply import Call, Refusal, Reply
from reconciler.emulator.switches import Switches

_BOUNDARY = re.compile(r'boundary=(?:"(?P<quoted>[^"]+)"|(?P<plain>[^;\s]+))', re.IGNORECASE)
_NAME = re.compile(r'filename="(?P<name>(?:[^"\\]|\\.)*)"', re.IGNORECASE)
_EXTENDED_NAME = re.compile(r"filename\*=utf-8''(?P<name>[^;\s]+)", re.IGNORECASE)
_ENDINGS = (".csv", ".txt", ".zip")
_MEMBER_ENDINGS = (".csv", ".txt")
_MOST_UNPACKED = 100_000_000
_MOST_MEMBERS = 1000


@dataclass(eq=False)
class InputFileCalls:
    """Add, upload, delete and disable an agent's input files."""

    switches: Switches

    def put_csv(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Add or update agent input data."""
        name = call.query.get("name", "")
        if not self._ends(name, (".csv",)) or not is_plain_name(name):
            raise Refusal(400, "name must be a file name that ends with .csv")
        self._refuse_empty(name, call.body)
        self._store(agent, name, call.body)
        return Reply(effect="input-stored")

    def upload(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Upload agent input files. All of them, or none when one is refused."""
        files = read_multipart(call.headers.get("Content-Type", ""), call.body)
        if not files:
            raise Refusal(400, "The request holds no files")
        arrived: list[tuple[str, bytes]] = []
        for name, content in files:
            if not self._ends(name, _ENDINGS) or not is_plain_name(name):
                raise Refusal(400, f"{name!r} is no .csv, .txt or .zip file")
            self._refuse_empty(name, content)
            arrived += self._unpacked(name, content) if name.lower().endswith(".zip") else [(name, content)]
        for name, content in arrived:
            self._store(agent, name, content)
        return Reply(effect="inputs-stored")

    def _ends(self, name: str, endings: tuple[str, ...]) -> bool:
        return (name if self.switches.csv_ending == "refuse" else name.lower()).endswith(endings)

    def _refuse_empty(self, name: str, content: bytes) -> None:
        if not content and self.switches.empty_file == "refuse":
            raise Refusal(400, f"The input file {name!r} is empty")

    def _unpacked(self, name: str, content: bytes) -> list[tuple[str, bytes]]:
        """What becomes of a zip file: "a zip file can have multiple csv or txt files"."""
        is_strict, is_kept = self.switches.zip_content == "refuse", self.switches.zip_files == "kept"
        try:
            members = read_zip(content)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, RuntimeError) as error:
            if is_strict or not is_kept:
                raise Refusal(400, f"{name!r} is not a zip file that can be unpacked") from error
            members = {}
        for member, held in members.items() if is_strict else ():
            if not self._ends(member, _MEMBER_ENDINGS) or not is_plain_name(member):
                raise Refusal(400, f"{member!r} in {name!r} is no .csv or .txt file")
            self._refuse_empty(member, held)
        if is_kept:
            return [(name, content)]
        flat = ((member.replace("\\", "/").rpartition("/")[2], held) for member, held in members.items())
        return [(member, held) for member, held in flat if member.lower().endswith(_MEMBER_ENDINGS)]

    def delete_all(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Delete all agent input files."""
        agent.input_files.clear()
        return Reply(effect="inputs-deleted")

    def disable_all(self, agent: Agent, call: Call) -> Reply:
        """Sequentum ACC, API Access: Disable All Agent Input Files."""
        for held in agent.input_files.values():
            held.enabled = False
        return Reply(effect="inputs-disabled")

    def _store(self, agent: Agent, name: str, content: bytes) -> None:
        held = agent.input_files.setdefault(name, InputFile(name, content, uploads=0))
        held.content = content
        held.uploads += 1
        held.enabled = held.enabled or self.switches.upload_enables


def read_zip(content: bytes) -> dict[str, bytes]:
    """The members of a zip file by name. Raises one of zipfile's errors, or ValueError for more than is unpacked."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > _MOST_UNPACKED or len(members) > _MOST_MEMBERS:
            raise ValueError("more than is unpacked")
        if len({member.filename.casefold() for member in members}) < len(members):
            raise ValueError("two members of one name")
        return {member.orig_filename: archive.read(member) for member in members}


def is_plain_name(name: str) -> bool:
    return bool(name.strip(". ")) and not any(mark in name for mark in "/\\\0\r\n")


def read_multipart(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    """File names and contents of a multipart/form-data body, untouched. Raises Refusal: 415 or 400."""
    match = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or match is None:
        raise Refusal(415, "The request's content type must be multipart/form-data with a boundary")
    mark = b"--" + (match["quoted"] or match["plain"]).encode("utf-8", "surrogateescape")
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
        return unquote(extended["name"])
    plain = _NAME.search(head)
    return re.sub(r"\\(.)", r"\1", plain["name"]).replace("%22", '"') if plain else ""

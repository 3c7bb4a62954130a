"""yaml-language-server as an editor drives it: over its standard input and output, by the Language Server Protocol."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node_packages import NODE, PACKAGES

SERVER = PACKAGES / "yaml-language-server" / "bin" / "yaml-language-server"


@dataclass(frozen=True)
class Squiggle:
    """What an editor underlines: lines and columns from 1, the end behind the last character."""

    line: int
    column: int
    end_line: int
    end_column: int
    message: str


class LanguageServer:
    """One running server. `schemas`: which files each schema is for, by their paths, as the setting `yaml.schemas`."""

    def __init__(self, schemas: Mapping[Path, str]) -> None:
        self._process = subprocess.Popen([NODE, SERVER, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._settings = {
            "yaml": {
                "schemas": {path.as_uri(): pattern for path, pattern in schemas.items()},
                "schemaStore": {"enable": False},
                "kubernetesCRDStore": {"enable": False},
                "completion": True,
                "hover": True,
                "validate": True,
            }
        }
        self._last = 0
        self._published: dict[str, list[dict[str, Any]]] = {}
        capabilities = {
            "workspace": {"configuration": True},
            "textDocument": {"completion": {"completionItem": {"snippetSupport": True}}},
        }
        self._ask("initialize", {"processId": None, "rootUri": None, "capabilities": capabilities})
        self._tell("initialized", {})
        while self._receive().get("method") != "workspace/configuration":
            pass

    def squiggles(self, texts: Mapping[Path, str]) -> dict[Path, list[Squiggle]]:
        """What is underlined in each of these files with such a text; they are open at once, which saves waiting."""
        uris = {path: self._open(path, text) for path, text in texts.items()}
        while not self._published.keys() >= set(uris.values()):
            self._receive()
        return {path: [_squiggle(one) for one in self._published[uri]] for path, uri in uris.items()}

    def completions(self, path: Path, text: str) -> list[str]:
        """What is offered where the text has a `|`."""
        return [one["label"] for one in self._at_cursor("completion", path, text)["items"]]

    def hover(self, path: Path, text: str) -> str:
        """What is shown over what the text has a `|` in, or before."""
        found = self._at_cursor("hover", path, text)
        return str(found["contents"]["value"]) if found else ""

    def close(self) -> None:
        self._ask("shutdown", None)
        self._tell("exit", None)
        self._process.wait(10)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def _at_cursor(self, what: str, path: Path, text: str) -> Any:
        before, after = text.split("|")
        uri = self._open(path, before + after)
        position = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
        return self._ask(f"textDocument/{what}", {"textDocument": {"uri": uri}, "position": position})

    def _open(self, path: Path, text: str) -> str:
        """Open a file of its own beside this one, so that nothing is left of what was asked before."""
        self._last += 1
        uri = path.with_name(f"{self._last}.{path.name}").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        return uri

    def _ask(self, method: str, params: object) -> Any:
        self._last = asked = self._last + 1
        self._send({"id": asked, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == asked and "method" not in message:
                assert "error" not in message, message
                return message["result"]

    def _tell(self, method: str, params: object) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: Mapping[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        """The next message; what the server asks is answered, what it published is kept."""
        assert self._process.stdout is not None
        headers = b"".join(iter(self._process.stdout.readline, b"\r\n")).decode()
        size = next(int(one.split(":")[1]) for one in headers.splitlines() if one.lower().startswith("content-length"))
        message: dict[str, Any] = json.loads(self._process.stdout.read(size))
        if message.get("method") == "textDocument/publishDiagnostics":
            self._published[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif message.get("method") == "workspace/configuration":
            asked = [one["section"] for one in message["params"]["items"]]
            self._send({"id": message["id"], "result": [self._settings.get(section) for section in asked]})
        elif "method" in message and "id" in message:
            self._send({"id": message["id"], "result": None})
        return message


def _squiggle(found: Mapping[str, Any]) -> Squiggle:
    begin, end = found["range"]["start"], found["range"]["end"]
    return Squiggle(
        begin["line"] + 1, begin["character"] + 1, end["line"] + 1, end["character"] + 1, str(found["message"])
    )

"""The shape that ARCHITECTURE.md draws holds: imports point down, one room prints, nothing grows without bound."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import reconciler

PACKAGE = Path(reconciler.__file__).parent

LEVELS = (
    ("cli",),
    ("workflow",),
    ("calendar",),
    (
        "planner",
        "applier",
        "guards",
        "planfile",
        "manifests",
        "ledger",
        "kinds",
        "render",
        "emulator",
        "products",
    ),
    ("observe", "order", "clients", "timetable", "selection", "secrecy"),
    ("diff", "identity", "urls"),
    ("model",),
    ("errors", "clock", "files", "process_liveness", "suggestion"),
    ("product_terms", "quantities"),
)
"""Rooms from the top down. A room may import from lower levels only: not upward, and not from its neighbours."""

HEIGHT = {room: len(LEVELS) - number for number, rooms in enumerate(LEVELS) for room in rooms}

TYPES_ONLY = {("errors", "model")}
"""Upward imports that exist for the type checker alone: an error carries problems, and must not cost an import."""

LARGE = {
    "model.py": "the nouns stand together",
    "clients/acc.py": "one method for every documented call",
}
LINES = 400
FUNCTION_LINES = 60


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """The rooms that a module imports, inside functions too, and whether the type checker alone sees it."""

    def walk(node: ast.AST, types_only: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ImportFrom):
                assert child.level == 0, "relative imports hide where they point"
                yield from ((room, types_only) for room in rooms_in(child))
            elif isinstance(child, ast.Import):
                for alias in child.names:
                    parts = alias.name.split(".")
                    if parts[0] == "reconciler" and len(parts) > 1:
                        yield parts[1], types_only
            elif isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
                for part in child.body:
                    yield from walk(ast.Module([part], []), True)
                for part in child.orelse:
                    yield from walk(ast.Module([part], []), types_only)
            elif isinstance(child, ast.Call) and ast.unparse(child.func) in (
                "importlib.import_module",
                "import_module",
            ):
                yield from ((room, types_only) for room in rooms_named(child))
                yield from walk(child, types_only)
            else:
                yield from walk(child, types_only)

    yield from walk(tree, False)


def rooms_in(node: ast.ImportFrom) -> Iterator[str]:
    parts = (node.module or "").split(".")
    if parts[0] != "reconciler":
        return
    if len(parts) > 1:
        yield parts[1]
        return
    for alias in node.names:
        if not alias.name.startswith("__"):
            yield alias.name


def rooms_named(call: ast.Call) -> Iterator[str]:
    """The room in `import_module("reconciler.room…")`, also where the rest of the name is put together."""
    text = ast.unparse(call.args[0]).lstrip("f").strip("'\"")
    parts = text.split(".")
    if parts[0] == "reconciler" and len(parts) > 1:
        yield parts[1]


def upward(path: Path) -> list[str]:
    room = room_of(path)
    found = []
    for target, types_only in imports_of(ast.parse(path.read_text(encoding="utf-8"))):
        if target == room or (types_only and (room, target) in TYPES_ONLY):
            continue
        if target not in HEIGHT or HEIGHT[target] >= HEIGHT[room]:
            found.append(f"{name_of(path)} imports {target}")
    return found


def test_every_room_has_its_level() -> None:
    rooms = {room_of(path) for path in modules()} - {"__init__", "__main__"}
    assert rooms <= set(HEIGHT)


def test_imports_point_down() -> None:
    wrong = [line for path in modules() if room_of(path) not in ("__init__", "__main__") for line in upward(path)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from reconciler import planner, diff", ["planner", "diff"]),
        ("import reconciler.cli", ["cli"]),
        ("def f():\n    from reconciler.workflow.planning import plan", ["workflow"]),
        ("def f():\n    import_module(f'reconciler.render.{form}').drift()", ["render"]),
        ("if TYPE_CHECKING:\n    from reconciler.model import Plan", ["model"]),
        ("from reconciler import __version__", []),
        ("import json", []),
    ],
)
def test_imports_are_seen_wherever_they_hide(source: str, expected: list[str]) -> None:
    assert [room for room, _ in imports_of(ast.parse(source))] == expected


def test_the_package_itself_imports_nothing() -> None:
    assert list(imports_of(ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")))) == []


def test_only_the_command_line_prints() -> None:
    printing = [
        f"{name_of(path)}:{node.lineno}"
        for path in modules()
        if room_of(path) != "cli"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "click.echo", "click.secho"))
        or (isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout", "sys.stderr", "sys.stdin"))
    ]
    assert not printing


def test_the_environment_is_read_in_one_room() -> None:
    """`cli` hands the environment down; only the proxies are looked up where HTTP is spoken, as every client does."""
    reading = [
        f"{name_of(path)}:{node.lineno}"
        for path in modules()
        if room_of(path) != "cli" and name_of(path) != "clients/wire.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
    ]
    assert not reading


MACHINE_TIME = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    *("time.time", "time.time_ns", "time.monotonic", "time.sleep", "time.localtime", "time.gmtime"),
}


def test_the_time_comes_in_through_main() -> None:
    """Whoever asks the machine for the time cannot be tested at another hour; `perf_counter` only measures."""
    asking = [
        f"{name_of(path)}:{node.lineno}"
        for path in modules()
        if name_of(path) not in ("clock.py", "clients/exchange.py")  # a socket grows old by the machine's clock alone
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in MACHINE_TIME
    ]
    assert not asking


def test_tests_have_a_clock_of_their_own() -> None:
    """A test may be run at any hour of any year: it takes the time from `clocks`, or writes it down."""
    tests = Path(__file__).parent
    asking = [
        f"{path.relative_to(tests)}:{node.lineno}"
        for path in sorted(tests.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in MACHINE_TIME - {"time.monotonic", "time.sleep"}  # for waiting on other processes
    ]
    assert not asking


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_modules_stay_small_and_say_what_they_promise(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert name_of(path) in LARGE or len(text.splitlines()) <= LINES
    if tree.body:
        assert ast.get_docstring(tree), "a module starts with its promise"
    long = [
        f"{node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not long


def test_modules_are_nouns() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "managers", "base", "common", "misc"}
    names = {part for path in modules() for part in Path(name_of(path)).with_suffix("").parts}
    assert not names & vague


@pytest.mark.parametrize(
    "room", ["model", "errors", "diff", "identity", "cli", "render.text", "render.markdown", "render.json_"]
)
def test_heavy_libraries_are_imported_only_when_used(room: str) -> None:
    """Every start of the program pays for what is imported at the top."""
    heavy = "aiohttp, cryptography, jinja2, jsonschema, jsonschema_rs, jwt, psycopg, requests, urllib3, yaml"
    code = (
        f"import sys, reconciler.{room}\n"
        f"found = [name for name in '{heavy}'.split(', ') if name in sys.modules]\n"
        "sys.exit(', '.join(found) or 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")

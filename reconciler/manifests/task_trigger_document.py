"""Turns `TaskTrigger` documents into resources, once all addresses are known."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from reconciler import order
from reconciler.manifests import durations
from reconciler.manifests.agent_document import hidden_values
from reconciler.manifests.declarations import Declared, ManifestDocument, Scope, Trigger, claim, handle_of, labels_of
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.scalars import text_of
from reconciler.model import Address, KindName, Resource
from reconciler.suggestion import Suggestions

_MAX_NAMED = 10
_WILD = frozenset("*?[")


def declare(document: ManifestDocument, scope: Scope, declared: Declared) -> None:
    """Add a trigger. `wait` stays out of its spec when it is not written: 30m, every 5s, is the default."""
    handle = handle_of(document)
    if not handle:
        return
    address = Address(KindName.TRIGGER, "", handle)
    declared.mentioned.add(address)
    report = document.report.at(str(address))
    origin = document.origin(document.parsed.value, ())
    if not claim(declared, "trigger", handle, origin, report, f"the trigger {handle!r}"):
        return
    spec: dict[str, Any] = {}
    if (task := document.spec_part("task")) is not None:
        spec["task"] = {key: value.strip().lower() if key == "id" else value for key, value in task.items()}
    secrets = _parameters(document, spec, report, declared)
    when = document.spec_part("when")
    patterns: list[tuple[str, tuple[str | int, ...]]] = []
    if when is not None:
        spec["when"] = dict(when)
        if "revision" in when:
            spec["when"]["revision"] = text_of(when["revision"])
        path = ("spec", "when", "changed")
        patterns = [(pattern, (*path, index)) for index, pattern in enumerate(when.get("changed", ()))]
    _wait(document, spec, report)
    if (retries := document.spec_part("retries")) is not None:
        spec["retries"] = int(retries)
    resource = Resource(address, spec, origin, secrets=secrets, labels=labels_of(document))
    declared.triggers.append(Trigger(resource, patterns, report))


def _parameters(
    document: ManifestDocument, spec: dict[str, Any], report: ProblemReporter, declared: Declared
) -> tuple[str, ...]:
    parameters = document.spec_part("parameters")
    if parameters is None:
        return ()
    spec["parameters"] = {key: text_of(value) for key, value in parameters.items()}
    path = ("spec", "parameters")
    names = document.secret_paths(path)
    declared.secret_values |= hidden_values(document, path)
    for name in names:
        message = (
            f"the parameter `{name}` came from the environment or a file, and Automate MFT does not promise to mask "
            "parameters: whoever may see the task's runs may read it. Keep secrets in the task itself"
        )
        report.warn((*path, name), "secret-parameter", message)
    return tuple(f"parameters.{name}" for name in names)


def _wait(document: ManifestDocument, spec: dict[str, Any], report: ProblemReporter) -> None:
    wait = document.spec_part("wait")
    if wait is None:
        return
    if wait is False:
        spec["wait"] = False
        return
    spec["wait"] = {}
    for key, text in wait.items():
        try:
            spec["wait"][key] = durations.seconds(text)
        except ValueError as error:
            report.error(("spec", "wait", key), "wrong-value", f"`{key}`: {error}")


def connect(declared: Declared) -> None:
    """Hold every `changed` pattern against all addresses, and add the triggers with what they need.

    A pattern with wildcards never means the trigger itself. Patterns that match nothing, and triggers that wait for
    each other, are errors.
    """
    triggers = {trigger.resource.address: trigger for trigger in declared.triggers}
    if not triggers:
        return
    sound = {resource.address for resource in declared.resources}
    known = {str(address): address for address in sorted(sound | declared.mentioned | set(triggers))}
    suggestions = Suggestions(known)
    needs: dict[Address, tuple[Address, ...]] = {}
    for address, trigger in triggers.items():
        found: set[Address] = set()
        for pattern, path in trigger.patterns:
            matched = _matched(pattern, known, address)
            if not matched:
                trigger.report.error(path, "no-match", _no_match(pattern, suggestions))
            found |= matched
        needs[address] = tuple(sorted(found))
    for cycle in order.cycles(needs):
        _report_cycle(triggers[cycle[0]], cycle)
    declared.resources += [replace(trigger.resource, needs=needs[address]) for address, trigger in triggers.items()]


def _matched(pattern: str, known: dict[str, Address], own: Address) -> set[Address]:
    if not _WILD & set(pattern):
        return {known[pattern]} if pattern in known else set()
    return {address for text, address in known.items() if address != own and fnmatchcase(text, pattern)}


def _no_match(pattern: str, suggestions: Suggestions) -> str:
    near = suggestions.nearest(pattern)
    advice = (
        f"did you mean {near}?"
        if near
        else "write addresses such as input-files/AGENT, schedule/AGENT/*, approval/AGENT, trigger/NAME"
    )
    return f"{pattern[:120]!r} matches nothing that the manifests declare; {advice}"


def _report_cycle(trigger: Trigger, cycle: tuple[Address, ...]) -> None:
    path = next((path for pattern, path in trigger.patterns if fnmatchcase(str(cycle[1]), pattern)), ())
    more = f" and {len(cycle) - 1 - _MAX_NAMED} more" if len(cycle) - 1 > _MAX_NAMED else ""
    trail = " -> ".join(map(str, cycle[: _MAX_NAMED + 1]))
    message = f"triggers that wait for each other never start: {trail}{more}"
    trigger.report.error(path, "cycle", message)

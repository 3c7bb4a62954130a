"""Turns the connection settings of the project file into their normal form, and finds what is unsafe in them."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from reconciler import files
from reconciler.manifests.problems import ProblemReporter
from reconciler.manifests.yaml_values import DocumentPath, YAMLValue
from reconciler.model.project import Connection
from reconciler.quantities import per_second_of, seconds_of
from reconciler.urls import connection_complaint

_CREDENTIALS = {"acc": ("token",), "mft": ("tenantId", "keyId", "privateKey")}
_HIDDEN = ("token", "privateKey")


def resolve(
    name: str,
    settings: Mapping[str, YAMLValue],
    root: Path,
    report: ProblemReporter,
    key_complaint: Callable[[str], str] | None = None,
    *,
    sources: Mapping[str, Iterable[Path]],
) -> Connection | None:
    """A connection in its normal form, or None; what is wrong goes to `report`. `settings` keep to the schema.

    Without all the settings that the schema asks for there is none either: what they are is not known.

    `key_complaint` says what is wrong with a private key, "" for nothing; it is asked where somebody gave it. `sources`
    are the files that settings were filled in from, by key.
    """
    path = ("spec", "connections", name)
    is_insecure = settings.get("allowInsecure") is True
    before = len(report.problems)
    region = settings.get("region")
    url = str(settings.get("url") or (f"https://api.{region}.mft.progress.com" if region else ""))
    if url and (complaint := connection_complaint(name, url, is_insecure_allowed=is_insecure)):
        report.error((*path, "url"), *complaint)
    for key in ("token", "tenantId", "keyId"):
        text = str(settings.get(key, "x"))
        if not (text.isascii() and text.isprintable()) or " " in text:
            message = f"`{key}` has spaces or characters that no credential has: check what it is filled in from"
            report.error((*path, key), "bad-credential", message)
    if key_complaint is not None and "privateKey" in settings and (wrong := key_complaint(str(settings["privateKey"]))):
        report.error((*path, "privateKey"), "bad-key", wrong)
    rate = None
    if "rate" in settings:
        rate = report.parsed((*path, "rate"), "wrong-value", per_second_of, str(settings["rate"]))
    timeout = report.parsed((*path, "timeout"), "wrong-value", seconds_of, str(settings.get("timeout", "30s")))
    bundle = _bundle(str(settings["caBundle"]), root, (*path, "caBundle"), report) if "caBundle" in settings else None
    if len(report.problems) > before or timeout is None:
        return None
    open_files = tuple(_open_files(sources, path, report))
    if not url or not settings.keys() >= set(_CREDENTIALS[name]):
        return None
    return Connection(
        name=name,
        url=url.rstrip("/"),
        settings={key: str(settings[key]) for key in _CREDENTIALS[name]},
        concurrency=int(str(settings.get("concurrency", 8))),
        rate=rate,
        timeout=timeout,
        ca_bundle=str(bundle) if bundle else None,
        allow_insecure=is_insecure,
        open_files=open_files,
    )


def _open_files(sources: Mapping[str, Iterable[Path]], path: DocumentPath, report: ProblemReporter) -> Iterator[str]:
    """The files of credentials that the group or others may read, as a shell takes their paths; and a warning each."""
    for key in _HIDDEN:
        for file in sorted(sources.get(key, ())):
            try:
                is_open = os.name == "posix" and bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
            except OSError:
                continue
            if is_open:
                shown = shlex.quote(str(file))
                message = f"`{key}` comes from a file that others on this machine may read: run `chmod 600 {shown}`"
                report.warn((*path, key), "exposed-credential", message)
                yield shown


def _bundle(written: str, root: Path, path: DocumentPath, report: ProblemReporter) -> Path:
    """The file of a certificate bundle; that it cannot be read, or holds no certificate, goes to `report`."""
    bundle = root / written
    try:
        bundle = root / Path(written).expanduser()
        if b"-----BEGIN " not in files.read_regular(bundle, files.CERTIFICATE_BYTES):
            report.error(path, "wrong-value", f"{written[:200]!r} holds no certificate: `caBundle` takes a PEM file")
    except FileNotFoundError:
        report.error(path, "missing-file", f"there is no file {written[:200]!r}: looked for {bundle}")
    except (OSError, RuntimeError) as error:  # a home folder that cannot be found is a RuntimeError
        reason = getattr(error, "strerror", None) or error
        report.error(path, "unreadable-file", f"{written[:200]!r} cannot be read: {reason}")
    return bundle


def secret_values(settings: Mapping[str, YAMLValue]) -> set[str]:
    """What these settings hold that must never be printed. A key's lines are hidden one by one as well."""
    values = {value for key in _HIDDEN if isinstance(value := settings.get(key), str)}
    lines = {line.strip() for value in values if "\n" in value for line in value.splitlines()}
    return {value for value in values | {line for line in lines if len(line) > 20 and "-----" not in line} if value}

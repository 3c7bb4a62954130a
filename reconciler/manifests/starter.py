"""Writes the project that `reconciler init` leaves behind: commented, and valid as it is."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import UsageError
from reconciler.files import create_whole
from reconciler.manifests.discovery import FILE_NAME

_PROJECT = """\
# The project file of reconciler. `reconciler schema Project` prints all that may stand here.
#
# An editor completes, explains and checks this file and the manifests once `reconciler schema > reconciler.schema.json`
# was run here, and a first line says so: `# yaml-language-server: $schema=reconciler.schema.json`
apiVersion: reconciler/v1
kind: Project
metadata:
  # Part of the id of every schedule that this project creates: choose it once, and never change it.
  name: {name}
spec:
  manifests: ["manifests/**/*.yaml"]

  # How to reach the products. A connection is needed only once a manifest uses it, so its variables may be unset
  # until then. What comes from the environment or from a file is never printed and never stored.
  connections:
    acc:
      url: https://acc.sequentum.com
      token: ${{env:ACC_TOKEN}}
    # mft:
    #   region: us                       # us | eu | staging; or url: https://...
    #   tenantId: ${{env:MFT_TENANT_ID}}
    #   keyId: ${{env:MFT_KEY_ID}}
    #   privateKey: ${{file:~/.keys/mft.pem}}

  # What was done is remembered here; a team shares postgresql://user@host/database instead.
  ledger: sqlite:///.reconciler/ledger.db

  policy:
    prune: owned                         # delete schedules of ours that no manifest declares; or never
    maxDeletes: 30%                      # refuse a plan that would delete more

  # Used in manifests as ${{var:zone}}.
  variables:
    zone: UTC

  # Chosen with --env NAME, and merged over all of the above.
  # environments:
  #   prod:
  #     variables: {{zone: Australia/Perth}}
"""

_MANIFEST = """\
# A manifest. `reconciler schema Agent` prints all that may stand here. For an editor (see ../reconciler.yaml) begin
# with `# yaml-language-server: $schema=../reconciler.schema.json`
#
# Take the # away, put in an agent of yours, set ACC_TOKEN, and ask `reconciler plan` what would change. To start from
# what runs already: `reconciler import --agent PATH`.
#
# apiVersion: reconciler/v1
# kind: Agent
# metadata:
#   name: prices                         # the handle used in addresses: schedule/prices/nightly
# spec:
#   path: sequentum/Retail/prices        # the agent's path in the ACC repository
#   schedules:
#     - name: nightly
#       cron: "0 0 2 * * MON-FRI"        # second minute hour day month weekday
#       startTime: 2026-01-01T02:00:00
#       timeZone: ${var:zone}
#     - name: poll
#       every: 15m
#       startTime: 2026-01-01T00:00:00
#       timeZone: UTC
#       enabled: true                    # the default; false: off; keep: left to the people at the console
"""

_IGNORED = """\
# The ledger of reconciler on this machine.
.reconciler/
"""


def write_project(folder: Path) -> tuple[Path, ...]:
    """Write a commented project into a folder, and return its files.

    Raises UsageError when one of them is there already, or cannot be written; then nothing is written at all.
    """
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:60] or "my-project"
    files = {
        folder / FILE_NAME: _PROJECT.format(name=name),
        folder / "manifests" / "example.yaml": _MANIFEST,
    }
    ignore = folder / ".gitignore"
    if not ignore.exists():
        files[ignore] = _IGNORED
    write_new(files, if_there="`init` never overwrites: give another folder")
    return tuple(files)


def write_new(files: Mapping[Path, str], *, if_there: str, if_failed: str = "") -> None:
    """Write new files, all of them or none, in this order, and each whole or not at all.

    Raises UsageError, with one of the hints, naming the file that is there already, or in the way.
    """
    for path in files:
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} is there already", hint=if_there)
    written: list[Path] = []
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            create_whole(path, text)
            written.append(path)
    except BaseException as error:
        for done in written:
            with contextlib.suppress(OSError):
                done.unlink()
        if isinstance(error, OSError):
            message = f"{error.filename or path} cannot be written: {error.strerror}"
            raise UsageError(message, hint=if_failed) from error
        raise

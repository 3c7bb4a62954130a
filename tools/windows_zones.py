"""Writes `reconciler/timetable/windows_zones.py` from two files of a CLDR release.

    python -m tools.windows_zones common/supplemental/windowsZones.xml common/bcp47/timezone.xml 48.2

`windowsZones.xml` has the zones of each Windows id by territory, `timezone.xml` the other names of each zone. The files
do not tell the release they belong to, so it is the third argument. Names that IANA's database (package `tzdata`) no
longer has are left out: nobody could read their rules.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from xml.etree import ElementTree

TARGET = Path(__file__).parents[1] / "reconciler" / "timetable" / "windows_zones.py"
_WORLD = "001"

_HEAD = '''\
"""Unicode's table of Windows time zones: every Windows id with all the IANA names that belong to it.

Made by `python -m tools.windows_zones` from CLDR; never edited by hand. The first name of a row is the zone that stands
for the id (CLDR's territory 001); then come the zones of all territories, and every other name that CLDR has for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CLDR_VERSION: Final = "{version}"

WINDOWS_ZONES: Final[Mapping[str, str]] = {{
'''


def read(windows_zones: Path, timezone: Path) -> dict[str, str]:
    """The IANA names of each Windows id, separated by spaces, the one that stands for it first."""
    standing: dict[str, str] = {}
    windows_id_of: dict[str, str] = {}
    for row in ElementTree.parse(windows_zones).iter("mapZone"):
        windows_id, names = row.attrib["other"], row.attrib["type"].split()
        if row.attrib["territory"] == _WORLD:
            standing[windows_id] = names[0]
        windows_id_of.update(dict.fromkeys(names, windows_id))
    iana = set(resources.files("tzdata").joinpath("zones").read_text().split())
    for zone in ElementTree.parse(timezone).iter("type"):
        names = zone.get("alias", "").split()
        for windows_id in {windows_id_of[name] for name in names if name in windows_id_of}:
            windows_id_of.update(dict.fromkeys(iana.intersection(names), windows_id))
    members: dict[str, list[str]] = {windows_id: [] for windows_id in standing}
    for name, windows_id in sorted(windows_id_of.items()):
        members[windows_id].append(name)
    return {
        windows_id: " ".join(sorted(names, key=lambda name: (name != standing[windows_id], name)))
        for windows_id, names in sorted(members.items())
    }


def source(table: Mapping[str, str], version: str) -> str:
    """The module that holds this table, as ruff formats it."""
    return _HEAD.format(version=version) + "".join(_row(*row) for row in table.items()) + "}\n"


def _row(windows_id: str, names: str) -> str:
    line = f'    "{windows_id}": "{names}",\n'
    if len(line) <= 121:
        return line
    parts = [f"{part} " for part in textwrap.wrap(names, 108, break_long_words=False, break_on_hyphens=False)]
    parts[-1] = parts[-1].rstrip()
    return f'    "{windows_id}": (\n' + "".join(f'        "{part}"\n' for part in parts) + "    ),\n"


if __name__ == "__main__":
    windows_zones_file, timezone_file, cldr_version = sys.argv[1:]
    TARGET.write_text(source(read(Path(windows_zones_file), Path(timezone_file)), cldr_version))

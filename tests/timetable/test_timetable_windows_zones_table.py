"""The table of Windows zones is what its generator writes, and nobody's edit."""

from __future__ import annotations

import ast
from pathlib import Path
from xml.etree import ElementTree

from reconciler.timetable.windows_zones import CLDR_VERSION, WINDOWS_ZONES
from tools import windows_zones as generator

CLDR = Path(__file__).parent / "cldr"


def sample() -> dict[str, str]:
    return generator.read(CLDR / "windowsZones.xml", CLDR / "timezone.xml")


def test_a_row_is_the_zone_of_the_id_and_then_all_other_names_that_the_iana_database_has() -> None:
    assert sample() == {
        "AUS Eastern Standard Time": "Australia/Sydney Australia/ACT Australia/Canberra Australia/Melbourne "
        "Australia/NSW Australia/Victoria",
        "Canada Central Standard Time": "America/Regina America/Swift_Current Canada/Saskatchewan",
        "Haiti Standard Time": "America/Port-au-Prince",
        "UTC-09": "Etc/GMT+9 Pacific/Gambier",
    }


def test_the_rows_of_the_sample_are_those_of_the_table() -> None:
    assert {name: WINDOWS_ZONES[name] for name in sample()} == sample()


def test_the_module_is_the_generator_s_byte_for_byte() -> None:
    assert generator.TARGET.read_text() == generator.source(WINDOWS_ZONES, CLDR_VERSION)


def test_what_is_written_reads_back_as_the_table_and_the_release_it_was_made_from() -> None:
    names: dict[str, object] = {}
    exec(compile(ast.parse(generator.source(sample(), "99.1")), "sample", "exec"), names)
    assert (names["WINDOWS_ZONES"], names["CLDR_VERSION"]) == (sample(), "99.1")


def test_the_whole_table_survives_the_way_through_cldr_s_own_files(tmp_path: Path) -> None:
    rows = ElementTree.Element("mapTimezones")
    aliases = ElementTree.Element("key")
    for windows_id, names in WINDOWS_ZONES.items():
        first, *_ = names.split()
        ElementTree.SubElement(rows, "mapZone", other=windows_id, territory="001", type=first)
        ElementTree.SubElement(aliases, "type", alias=names)
    for name, root in (("windowsZones.xml", rows), ("timezone.xml", aliases)):
        ElementTree.ElementTree(root).write(tmp_path / name)
    assert generator.read(tmp_path / "windowsZones.xml", tmp_path / "timezone.xml") == WINDOWS_ZONES

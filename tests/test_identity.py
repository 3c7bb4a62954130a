"""The ids of contract section 4, with every bit of one example written out, and computed a second time here."""

from __future__ import annotations

import hashlib
import string
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.identity import is_owned, normal_id, owned_id

EXAMPLE = owned_id("retail-data", "default", "sequentum/Retail/prices", "nightly")


def test_the_bits_of_one_example() -> None:
    """By hand: `printf retail-data/default | sha256sum`, and the same of `…/sequentum/Retail/prices/nightly`."""
    mark = "d460a49ccf23"  # the first 48 bits of SHA-256("retail-data/default")
    own = "6c446f3af69faa59c410"  # the first 80 bits of SHA-256("retail-data/default/sequentum/Retail/prices/nightly")
    bits = "".join(f"{int(digit, 16):04b}" for digit in own)
    expected = (
        "".join(f"{int(digit, 16):04b}" for digit in mark)  # bits 0-47
        + "1000"  # bits 48-51: version 8
        + bits[:12]  # bits 52-63
        + "10"  # bits 64-65: the variant of RFC 9562
        + bits[12:74]  # bits 66-127
    )
    assert len(expected) == 128
    assert f"{uuid.UUID(EXAMPLE).int:0128b}" == expected
    assert EXAMPLE == "d460a49c-cf23-86c4-91bc-ebda7ea96710"


def independent(project: str, environment: str, path: str, schedule: str) -> str:
    """The same id by the way of bit strings, sharing nothing with the program."""

    def bits(text: str) -> str:
        return "".join(f"{byte:08b}" for byte in hashlib.sha256(text.encode("utf-8")).digest())

    own = bits("/".join((project, environment, path, schedule)))
    whole = bits(f"{project}/{environment}")[:48] + "1000" + own[:12] + "10" + own[12:74]
    text = f"{int(whole, 2):032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


NAME = st.text(string.ascii_lowercase + string.digits + "-._", min_size=1, max_size=12)
PATH = st.text(min_size=1, max_size=30).filter(lambda text: text.isprintable())


@settings(deadline=None)
@given(NAME, NAME, PATH, NAME)
def test_every_id_is_computed_so(project: str, environment: str, path: str, schedule: str) -> None:
    made = owned_id(project, environment, path, schedule)
    assert made == independent(project, environment, path, schedule)
    assert uuid.UUID(made).version == 8
    assert uuid.UUID(made).variant == uuid.RFC_4122
    assert is_owned(made, project, environment)


def test_paths_are_text_in_utf_8() -> None:
    assert owned_id("p", "default", "sequentum/Zürich/Läden", "nächtlich") == independent(
        "p", "default", "sequentum/Zürich/Läden", "nächtlich"
    )


@pytest.mark.parametrize("spelled", [EXAMPLE.upper(), "{" + EXAMPLE + "}", f" {EXAMPLE.title()} "])
def test_ids_are_recognised_however_a_product_spells_them(spelled: str) -> None:
    assert normal_id(spelled) == EXAMPLE
    assert is_owned(normal_id(spelled), "retail-data", "default")


@pytest.mark.parametrize(
    "foreign",
    [
        owned_id("retail-data", "prod", "sequentum/Retail/prices", "nightly"),
        owned_id("retail", "default", "sequentum/Retail/prices", "nightly"),
        "d9c944df-93a7-ea77-f7b7-fa0b9c579917",
        EXAMPLE[:14] + "4" + EXAMPLE[15:],
        EXAMPLE.replace("-", ""),
        "",
        "not an id",
    ],
    ids=["other environment", "other project", "made by hand", "our mark, version 4", "no dashes", "empty", "words"],
)
def test_what_is_not_ours(foreign: str) -> None:
    assert not is_owned(foreign, "retail-data", "default")


def test_a_project_and_its_environment_cannot_be_confused_with_another_pair_by_accident() -> None:
    """Joined with "/", which neither name may contain."""
    assert owned_id("a", "b", "c", "d")[:13] == owned_id("a", "b", "x", "y")[:13]
    assert owned_id("a", "b", "c", "d")[:13] != owned_id("a", "c", "c", "d")[:13]

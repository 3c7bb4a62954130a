"""Links of a page: to a manifest's line where the repository is known, to a resource, and to no other place."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.address import Address, Origin
from reconciler.render.characters import neutral
from reconciler.render.html.links import ALONE, Links, Repository, fragment

COMMIT = "4f2c9a1b" * 5
ORIGIN = Origin("manifests/retail.yaml", 24, 7)


@pytest.mark.parametrize(
    ("remote", "folder", "line", "commit"),
    [
        (
            "https://github.com/shop/estate.git",
            "",
            f"https://github.com/shop/estate/blob/{COMMIT}/manifests/retail.yaml#L24",
            f"https://github.com/shop/estate/commit/{COMMIT}",
        ),
        (
            "git@gitlab.example.com:data/team/estate.git",
            "estates/retail",
            f"https://gitlab.example.com/data/team/estate/-/blob/{COMMIT}/estates/retail/manifests/retail.yaml#L24",
            f"https://gitlab.example.com/data/team/estate/-/commit/{COMMIT}",
        ),
        (
            "ssh://git@bitbucket.org:22/shop/estate",
            "a b",
            f"https://bitbucket.org/shop/estate/src/{COMMIT}/a%20b/manifests/retail.yaml#lines-24",
            f"https://bitbucket.org/shop/estate/commits/{COMMIT}",
        ),
        ("https://git.example.com/shop/estate.git", "", "", ""),
        ("/srv/git/estate.git", "", "", ""),
        ("../estate", "", "", ""),
        ("javascript:alert(1)//github.com/x", "", "", ""),
        ("", "", "", ""),
    ],
)
def test_a_place_leads_to_its_line_in_the_repository(remote: str, folder: str, line: str, commit: str) -> None:
    repository = Repository.of(remote, COMMIT, folder)
    assert repository.line_url(ORIGIN) == line
    assert repository.commit_url == commit


def test_who_signs_in_is_not_in_a_link() -> None:
    repository = Repository.of("https://ci:hunter2@github.com/shop/estate.git", COMMIT)
    assert repository.line_url(ORIGIN).startswith("https://github.com/shop/estate/blob/")
    assert "hunter2" not in repr(repository)


@pytest.mark.parametrize("commit", ["", "main", "abc", COMMIT + "\n", 'x" onclick="'])
def test_without_a_commit_there_is_no_link(commit: str) -> None:
    repository = Repository.of("https://github.com/shop/estate", commit)
    assert (repository.line_url(ORIGIN), repository.commit_url) == ("", "")


@pytest.mark.parametrize("path", ["/etc/estate.yaml", "../other/estate.yaml"])
def test_a_file_outside_of_the_repository_has_no_link(path: str) -> None:
    assert Repository.of("https://github.com/shop/estate", COMMIT).line_url(Origin(path, 1)) == ""


def test_a_file_beside_the_project_is_in_the_repository() -> None:
    repository = Repository.of("https://github.com/shop/estate", COMMIT, "estates/retail")
    assert repository.line_url(Origin("../shared/a#b.yaml", 3)).endswith(f"/{COMMIT}/estates/shared/a%23b.yaml#L3")


def test_an_address_leads_to_its_home_or_within_the_page() -> None:
    address = Address("schedule", "retail prices", "nightly")
    assert ALONE.of(address) == ""
    assert ALONE.showing([address]).of(address) == "#schedule/retail%20prices/nightly"
    site = Links(homes={str(address): "agents/retail prices.html"}, root="../")
    assert site.showing([address]).of(address) == "../agents/retail%20prices.html#schedule/retail%20prices/nightly"
    assert site.of("trigger/other") == ""


@given(st.text(st.characters(codec="utf-8")))
def test_a_link_leads_back_to_the_id_it_was_made_of(text: str) -> None:
    written = fragment(text)
    assert unquote(written) == neutral(text)
    assert not set(written) & set(' "<>#%\n`') - {"%"}

"""Facts of a run as pages state them: who, from which commit and job, when, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from reconciler.model.address import Address
from reconciler.model.copies import replace
from reconciler.model.outcome import Owner, RunRecord
from reconciler.quantities import span_text
from reconciler.render.address_folding import folded_addresses
from reconciler.render.frequency import second_text
from reconciler.render.html.links import Links
from reconciler.render.review import counted_kinds
from reconciler.render.wording import short_commit

_NAMES = 4

Fact = tuple[str, str, str]
"""A name, what is so, and what it leads to ("" where that is nothing)."""


def who_facts(owner: Owner, commit: str, links: Links) -> list[Fact]:
    """Who ran it, in which CI job, and from which commit."""
    facts = [("By", f"{owner.user} on {owner.host}", "")]
    if owner.ci_link:
        facts.append(("CI job", ci_text(owner.ci_link), ci_url(owner.ci_link)))
    facts.append(("Commit", short_commit(commit), commit_url(commit, links)))
    return facts


def facts_of(run: RunRecord, links: Links, seconds: float | None) -> list[Fact]:
    """Who ran it, from where, of which plan, and when; `seconds` is how long it took, None where nobody knows."""
    facts = who_facts(run.owner, run.commit, links)
    facts += [("Plan", run.plan_digest[:19], "")] if run.plan_digest else []
    facts += [("Began", second_text(run.started), ""), ("Ended", second_text(run.finished) or "not recorded", "")]
    return facts if seconds is None else [*facts, ("Took", took_text(seconds), "")]


def commit_url(commit: str, links: Links) -> str:
    """The page of a commit, also where changes lay on top of it; "" where the repository's URL is not known."""
    clean = commit.removesuffix("-dirty")
    return replace(links.repository, commit=clean).commit_url if links.repository.web and is_hex(clean) else ""


def is_hex(commit: str) -> bool:
    """Whether it is a commit's name, and so may stand in a URL."""
    return len(commit) >= 7 and all(char in "0123456789abcdef" for char in commit)


def ci_url(link: str) -> str:
    """The link to a CI job as one may be followed: by HTTP alone, whatever the environment said."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    return link if parts.scheme in ("http", "https") and parts.hostname else ""


def ci_text(link: str) -> str:
    """The job's address without its scheme, for reading."""
    return link.split("://", 1)[-1] if ci_url(link) else link


def took_text(seconds: float) -> str:
    """`310 ms`, `12.4 s`, `2 min`, `1 h 5 min`."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else span_text(seconds)


def names_text(addresses: Sequence[Address]) -> str:
    """Addresses in a few words: `40 schedules: schedule/shop-{01..40}/nightly`; "" where there is none."""
    if not addresses:
        return ""
    folded = folded_addresses(addresses)
    left = sum(one.number for one in folded[_NAMES:])
    more = f" and {left:,} more" if left else ""
    return f"{counted_kinds(addresses)}: {', '.join(one.text for one in folded[:_NAMES])}{more}"


def as_sentence(text: str) -> str:
    """The words as a sentence: with an end, and a capital letter where they begin with a word and no name."""
    text = text.strip()
    if not text:
        return ""
    first = text.split(maxsplit=1)[0]
    begin = text[0].upper() if first.rstrip(",:;").isalpha() else text[0]
    return begin + text[1:] + ("" if text[-1] in ".!?…" else ".")

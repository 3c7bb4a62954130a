"""Pages of plan and drift, whatever is alike and whatever a name holds: nothing lost, nothing twice, nothing let in."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render_models import changes, drifts, fields, plans
from render_samples import STAMP

from reconciler.model.condition import Drift, DriftFinding
from reconciler.model.copies import replace
from reconciler.model.plan import BlockedResource, Change, FieldChange, Plan
from reconciler.render import html
from reconciler.render.characters import field_texts, neutral
from reconciler.render.reasons import words

TAGS = re.compile(
    "html|head|meta|title|style|body|header|main|footer|section|div|details|summary|h1|h2|p|a|b|i|em|strong|small|mark|span"
    "|code|kbd|time|output|ul|li|dl|dt|dd|table|thead|tbody|tr|th|td|svg|path|rect|button|label|input|script"
)
SECRET = FieldChange("inputParameters.apiKey", "hunter1", "hunter2", secret=True)
lawful = settings(deadline=None, max_examples=40)


class Seen(NamedTuple):
    """An entry of a page: all that a reader is told of it, in its own place and by the groups around it."""

    id: str
    text: str


class Page(HTMLParser):
    """A page as a reader gets it. What folds and what is listed is closed, so that its nesting can be followed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.foreign: list[str] = []
        self.entries: list[Seen] = []
        self._open: list[tuple[str, str, str, list[str]]] = []
        self._shared: list[tuple[int, list[str]]] = []
        self.feed(text[text.index("<main") :].replace("<script>", "<script data-own>"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.foreign += [tag] * (not TAGS.fullmatch(tag) or (tag == "script" and "data-own" not in given))
        self.foreign += [name for name in given if name.startswith("on") or name in ("style", "srcdoc")]
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if "href" in given else []
        if tag in ("details", "summary", "div", "li"):
            self._open.append((tag, given.get("class", ""), given.get("id", ""), []))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            return
        _, classes, id_, texts = self._open.pop()
        if "shared" in classes.split():
            self._shared.append((len(self._open), texts))
        if "entry" in classes.split():
            self.entries.append(Seen(id_, "".join(texts) + "".join("".join(said) for _, said in self._shared)))
        if tag == "details":
            self._shared = [(depth, said) for depth, said in self._shared if depth <= len(self._open)]

    def handle_data(self, data: str) -> None:
        for *_, texts in self._open:
            texts.append(data)


def bare(text: str) -> str:
    """As a page shows it: a sentence's backticks become code."""
    return "".join(neutral(text).replace("`", "").split())


@st.composite
def grown(draw: st.DrawFn) -> Plan:
    """A plan in which changes and blocked resources have others beside them, alike but for a name or a field."""
    plan = draw(plans)
    found: list[Change] = []
    for at, change in enumerate(draw(st.lists(changes, max_size=4))):
        for number in range(draw(st.integers(1, 4))):
            own = draw(st.lists(fields, max_size=1))
            address = replace(change.address, agent=f"{change.address.agent}{at}-{number}")
            found.append(replace(change, address=address, fields=(*change.fields, *own, SECRET)))
    blocked = [
        replace(one, address=replace(one.address, agent=f"{one.address.agent}b{number}"))
        for one in plan.blocked
        for number in range(draw(st.integers(1, 3)))
    ]
    return replace(plan, changes=tuple(found), blocked=tuple(blocked))


def check(page: Page, told: list[tuple[str, list[str]]]) -> None:
    """Every resource has an entry that says all of it; ids are unique, links stay on the page, nothing is foreign."""
    assert page.foreign == []
    assert len(page.ids) == len(set(page.ids))
    assert all(link.startswith("#") for link in page.links)
    texts = [bare(entry.text) for entry in page.entries]
    for address, facts in told:
        assert neutral(address) in page.ids
        assert any(all(bare(fact) in text for fact in [address, *facts]) for text in texts), (address, facts)


def facts_of(one: Change | BlockedResource | DriftFinding) -> list[str]:
    """What has to be said of it."""
    own = () if isinstance(one, BlockedResource) else one.fields
    sides = [
        text for field in own for text, side in zip(field_texts(field), field.shown, strict=True) if side is not None
    ]
    needs = [str(need) for need in one.needs] if isinstance(one, Change) and one.action.is_remote else []
    origin = [one.origin.shown] if one.origin else []
    return [words(one.why) if one.why else "", *(field.path for field in own), *sides, *needs, *origin]


@pytest.mark.generated
@lawful
@given(plan=grown())
def test_a_page_of_a_plan_says_all_of_every_change(plan: Plan) -> None:
    text = html.plan(plan, STAMP)
    assert "hunter" not in text
    told: list[Change | BlockedResource] = [*plan.changes, *plan.blocked]
    check(Page(text), [(str(one.address), facts_of(one)) for one in told])


@pytest.mark.generated
@lawful
@given(drift=drifts, number=st.integers(1, 3))
def test_a_page_of_an_audit_says_all_of_every_finding(drift: Drift, number: int) -> None:
    findings = tuple(
        replace(one, address=replace(one.address, agent=f"{one.address.agent}{at}"), fields=(*one.fields, SECRET))
        for one in drift.findings
        for at in range(number)
    )
    text = html.drift(replace(drift, findings=findings), STAMP)
    assert "hunter" not in text
    check(Page(text), [(str(one.address), facts_of(one)) for one in findings])

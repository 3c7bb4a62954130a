"""Any model at all, for laws: strings with escapes, markup, wide characters and half surrogates everywhere."""

from __future__ import annotations

from hypothesis import strategies as st
from render_samples import AWKWARD_TEXT

from reconciler.causes import Cause, because, said
from reconciler.model.address import Address, Origin
from reconciler.model.condition import Drift, DriftFinding, DriftStatus
from reconciler.model.live import Evidence
from reconciler.model.outcome import Outcome, Status
from reconciler.model.plan import (
    Action,
    BlockedResource,
    Change,
    FieldChange,
    Finding,
    Plan,
    Preview,
    Reason,
    Unmanaged,
)
from reconciler.model.resource import Problem, Severity

MARKUP = (
    "|",
    "`",
    "```\n",
    "<b>",
    "</details>",
    "-->",
    "]]>",
    "&amp;",
    "@team",
    "#12",
    "\x1b[31m",
    "\r",
    "\n",
    "::",
    "%0A",
)
WIDE = ("日本", "é", "e\u0301", "👩\u200d💻", "❤\ufe0f", "\u202e", "\ud800", "\u2028", "\x00", "\ufffe")
texts = st.sampled_from((AWKWARD_TEXT, "", " ", "nightly", *MARKUP, *WIDE, "x" * 90, "word " * 20)) | st.text(
    max_size=9
)
names = texts.map(lambda text: text or "x")
addresses = st.one_of(
    st.builds(Address, st.just("schedule"), names, names),
    st.builds(Address, st.sampled_from(("input-files", "approval")), names),
    st.builds(Address, st.just("trigger"), st.just(""), names),
)
origins = st.none() | st.builds(Origin, names, st.integers(1, 10**6), st.integers(1, 200))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
whys = texts.map(said) | st.builds(
    lambda cause, names, text: because(cause, said(text), names=tuple(names), said=text, agent=text),
    st.sampled_from(Cause),
    st.lists(texts, max_size=3),
    texts,
)
fields = st.builds(FieldChange, texts, values, values, st.booleans())
runs = st.lists(st.sampled_from(("2026-11-23T02:00:00+11:00", "2026-11-23T02:00:00Z")) | texts, max_size=3).map(tuple)
rates = st.none() | st.floats(0, 1e5)
previews = st.none() | st.builds(Preview, runs, runs, rates, rates, st.lists(texts, max_size=2).map(tuple))
changes = st.builds(
    Change,
    addresses,
    st.sampled_from(Action),
    st.sampled_from(Reason),
    st.none() | whys,
    fields=st.lists(fields, max_size=3).map(tuple),
    identity=texts,
    agent_path=texts,
    needs=st.lists(addresses, max_size=2).map(tuple),
    origin=origins,
    preview=previews,
)
plans = st.builds(
    Plan,
    texts,
    texts,
    st.lists(changes, max_size=4).map(tuple),
    st.lists(st.builds(BlockedResource, addresses, st.sampled_from(Reason), whys, origins), max_size=2).map(tuple),
    st.lists(st.builds(Unmanaged, texts, texts), max_size=2).map(tuple),
    st.integers(0, 9),
    st.lists(st.builds(Finding, texts, texts, whys), max_size=2).map(tuple),
)
outcomes = st.builds(
    Outcome,
    changes,
    st.sampled_from(Status),
    st.none() | whys,
    st.floats(0, 1e4),
    st.sampled_from(Evidence),
    texts,
    texts,
)
drifts = st.builds(
    Drift,
    texts,
    texts,
    st.lists(
        st.builds(
            DriftFinding,
            addresses,
            st.sampled_from(DriftStatus),
            st.sampled_from(Evidence),
            st.lists(fields, max_size=2).map(tuple),
            origins,
            st.none() | whys,
        ),
        max_size=4,
    ).map(tuple),
)
problems = st.lists(
    st.builds(
        Problem,
        texts,
        st.integers(0, 99),
        st.integers(0, 99),
        texts,
        names,
        texts,
        st.sampled_from(Severity),
    ),
    max_size=4,
)

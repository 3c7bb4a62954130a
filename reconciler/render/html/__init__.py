"""Plan, drift and apply as one self-contained page each, for a browser without a network."""

from __future__ import annotations

from reconciler.render.html.apply import outcomes
from reconciler.render.html.drift import drift
from reconciler.render.html.page import document
from reconciler.render.html.plan import plan

__all__ = ["document", "drift", "outcomes", "plan"]

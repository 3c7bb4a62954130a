"""Plan, drift and apply as one self-contained page each, for a browser without a network."""

from __future__ import annotations

from reconciler.render.html.apply_page import outcomes
from reconciler.render.html.drift_page import drift
from reconciler.render.html.plan_page import plan

__all__ = ["drift", "outcomes", "plan"]

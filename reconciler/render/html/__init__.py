"""Plan, drift and apply as one self-contained page each, for a browser without a network."""

from __future__ import annotations

from reconciler.render.html.pages import drift, outcomes, plan

__all__ = ["drift", "outcomes", "plan"]

"""Plan and drift as Markdown for a pull request: what is risky in full, the rest folded, within a budget of bytes."""

from __future__ import annotations

from reconciler.render.markdown.drift_note import drift
from reconciler.render.markdown.plan_note import plan

__all__ = ["drift", "plan"]

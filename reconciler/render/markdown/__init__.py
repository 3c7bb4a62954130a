"""Plan and drift as Markdown for a pull request: what is risky in full, the rest folded, within a budget of bytes."""

from __future__ import annotations

from reconciler.render.markdown.notes import drift, plan

__all__ = ["drift", "plan"]

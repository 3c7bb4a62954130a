"""Plan, drift, outcomes and problems as text for a terminal of 60 to 200 columns, with and without colour."""

from __future__ import annotations

from reconciler.render.text.apply_text import outcome_line, outcomes
from reconciler.render.text.problems_text import problems
from reconciler.render.text.reports import drift, plan

__all__ = ["drift", "outcome_line", "outcomes", "plan", "problems"]

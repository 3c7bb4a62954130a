"""Plan, drift, outcomes and problems as text for a terminal of 60 to 200 columns, with and without colour."""

from __future__ import annotations

from reconciler.render.text.apply_text import outcome_line, outcomes
from reconciler.render.text.drift_text import drift
from reconciler.render.text.plan_text import plan
from reconciler.render.text.problems_text import problems

__all__ = ["drift", "outcome_line", "outcomes", "plan", "problems"]

"""What a benchmark says: a figure, the goal it is held against, and the absolute figures behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """One row. `goal` is a limit above, or with `at_least` a limit below; `unit` is "" for a ratio."""

    name: str
    what: str
    figure: float
    goal: float
    unit: str = ""
    at_least: bool = False
    behind: Mapping[str, float] | None = None

    @property
    def is_met(self) -> bool:
        return self.figure >= self.goal if self.at_least else self.figure <= self.goal

    @property
    def line(self) -> str:
        sign = "≥" if self.at_least else "≤"
        behind = "".join(f", {name} {value:.4g}" for name, value in (self.behind or {}).items())
        verdict = "met" if self.is_met else "NOT met"
        figure = f"{self.figure:.3g}{self.unit}"
        return f"{self.name:<22} {figure:>9}  goal {sign} {self.goal:g}{self.unit:<4} {verdict:<8} {self.what}{behind}"

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "what": self.what,
            "figure": round(self.figure, 4),
            "unit": self.unit or "ratio",
            "goal": self.goal,
            "goal_is": "at least" if self.at_least else "at most",
            "met": self.is_met,
            "behind": {name: round(value, 4) for name, value in (self.behind or {}).items()},
        }

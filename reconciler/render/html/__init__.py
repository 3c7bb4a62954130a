"""Plans, audits, status, history and how an apply went as pages: one file each, or a part of a site."""

from __future__ import annotations

from reconciler.render.html.apply_page import apply
from reconciler.render.html.doctor_page import doctor
from reconciler.render.html.drift_page import drift
from reconciler.render.html.history_page import history
from reconciler.render.html.links import ALONE, Links, NavItem, Repository
from reconciler.render.html.plan_page import plan
from reconciler.render.html.scaffold import asset_files
from reconciler.render.html.status_page import status

__all__ = [
    "ALONE",
    "Links",
    "NavItem",
    "Repository",
    "apply",
    "asset_files",
    "doctor",
    "drift",
    "history",
    "plan",
    "status",
]

"""Plan, drift and apply as pages for a browser without a network: one file each, or a part of a site."""

from __future__ import annotations

from reconciler.render.html.drift_page import drift
from reconciler.render.html.links import ALONE, Links, NavItem, Repository
from reconciler.render.html.pages import outcomes
from reconciler.render.html.plan_page import plan
from reconciler.render.html.scaffold import asset_files

__all__ = ["ALONE", "Links", "NavItem", "Repository", "asset_files", "drift", "outcomes", "plan"]

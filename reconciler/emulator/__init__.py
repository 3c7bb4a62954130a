"""Emulator: both products over real HTTP on loopback, with state, faults, and a switch for whatever is unknown."""

from __future__ import annotations

from reconciler.emulator.faults import Fault, parse_fault
from reconciler.emulator.keys import new_key
from reconciler.emulator.population import demo, estate
from reconciler.emulator.repository import alias_agent, move_agent, remake_agent, remove_agent
from reconciler.emulator.requestlog import Request
from reconciler.emulator.server import DEFAULT_TOKEN, Emulator
from reconciler.emulator.service import serve
from reconciler.emulator.state import Estate, Task, Tenant, Token
from reconciler.emulator.statefile import load, save
from reconciler.emulator.switches import Switches

__all__ = [
    "DEFAULT_TOKEN",
    "Emulator",
    "Estate",
    "Fault",
    "Request",
    "Switches",
    "Task",
    "Tenant",
    "Token",
    "alias_agent",
    "demo",
    "estate",
    "load",
    "move_agent",
    "new_key",
    "parse_fault",
    "remake_agent",
    "remove_agent",
    "save",
    "serve",
]

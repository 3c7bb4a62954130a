"""Emulator: both products over real HTTP on loopback, with state, faults, and a switch for whatever is unknown."""

from __future__ import annotations

from reconciler.emulator.acc_state import Token
from reconciler.emulator.emulated_estate import Estate, alias_agent, move_agent, remake_agent, remove_agent
from reconciler.emulator.injected_faults import Fault, parse_fault
from reconciler.emulator.key_pairs import new_key
from reconciler.emulator.mft_state import Task, Tenant
from reconciler.emulator.population import demo, estate
from reconciler.emulator.regional_estate import regions
from reconciler.emulator.request_log import Request
from reconciler.emulator.server import DEFAULT_TOKEN, Emulator
from reconciler.emulator.state_file import load, save
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
    "regions",
    "remake_agent",
    "remove_agent",
    "save",
]

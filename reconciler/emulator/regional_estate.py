"""An estate as it grows at a console: fifty agents, alike by region, with three hundred schedules made by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from reconciler.clock import MACHINE
from reconciler.emulator.acc_state import ServerRecord, Token
from reconciler.emulator.emulated_estate import Estate
from reconciler.emulator.key_pairs import jwt_like
from reconciler.emulator.mft_state import Tenant
from reconciler.emulator.population import DEMO_TENANT, id_source

_REGIONS = {
    "at": "W. Europe Standard Time",
    "au": "AUS Eastern Standard Time",
    "ca": "Eastern Standard Time",
    "de": "W. Europe Standard Time",
    "fr": "Romance Standard Time",
    "ie": "GMT Standard Time",
    "jp": "Tokyo Standard Time",
    "nz": "New Zealand Standard Time",
    "uk": "GMT Standard Time",
    "us": "Eastern Standard Time",
}
"""Each region with the time zone that its schedules run by."""

_SUBJECTS = {"prices": 0, "promotions": 10, "reviews": 20, "stock": 30, "stores": 40}
"""What is collected in each region, and the minute of its hours, so that not all run at once."""

_NEW_REGION = "sg"
"""A region whose agents were just made, and have no schedules yet."""

_HOURS = "2026-01-05T00:00:00"
_EXCEPTIONS: dict[tuple[str, int], dict[str, Any]] = {
    ("prices-jp", 0): {"cron": "0 0 5 * * *"},
    ("reviews-fr", 4): {"is_enabled": False},
    ("stock-us", 1): {"log_level": 3},
    ("stores-nz", 3): {"input_parameters": '{"region":"nz","depth":"5"}'},
}
"""What somebody once set otherwise: by agent and schedule."""


def regions(now: datetime | None = None, seed: int = 1) -> Estate:
    """Five subjects in ten regions, six schedules each, a few set otherwise; and the agents of a region to come."""
    moment = (now or MACHINE()).replace(microsecond=0)
    made = Estate(tenant=Tenant(DEMO_TENANT), zone="UTC", new_id=id_source(seed))
    made.servers.append(ServerRecord())
    year = moment + timedelta(days=365)
    made.add_token(Token(jwt_like("deploy", year, "write"), user="deploy", expires=year))
    for subject, minute in _SUBJECTS.items():
        for region, zone in _REGIONS.items():
            agent = made.add_agent(
                f"sequentum/Shops/{subject}-{region}", description=f"{subject} of the {region} shops"
            )
            for which, fields in enumerate(_schedules(minute, region, zone)):
                made.add_schedule(agent, **{**fields, **_EXCEPTIONS.get((f"{subject}-{region}", which), {})})
        made.add_agent(f"sequentum/Shops/{subject}-{_NEW_REGION}")
    made.new_id = id_source(f"{seed}/later")
    return made


def _schedules(minute: int, region: str, zone: str) -> Iterator[dict[str, Any]]:
    shop = json.dumps({"region": region}, separators=(",", ":"))
    full = json.dumps({"region": region, "depth": "3"}, separators=(",", ":"))
    yield {"cron": f"0 {minute} 2 * * *", "start_time": _HOURS, "time_zone_id": zone, "input_parameters": shop}
    yield {"cron": "0 15 0 0", "start_time": _HOURS, "time_zone_id": "UTC", "input_parameters": shop}
    yield {"cron": f"0 {minute} 9 * * MON-FRI", "start_time": _HOURS, "time_zone_id": zone, "input_parameters": shop}
    yield {"cron": f"0 {minute} 4 * * SUN", "start_time": _HOURS, "time_zone_id": zone, "input_parameters": full}
    yield {"cron": f"0 {minute} 5 1 * *", "start_time": _HOURS, "time_zone_id": zone, "input_parameters": full}
    yield {"cron": "0 0 6 0", "start_time": _HOURS, "time_zone_id": "UTC", "input_parameters": shop, "log_level": 2}

"""The emulator in the foreground: says where it listens, runs until it is told to stop, keeps its state if asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reconciler.clock import Clock
from reconciler.emulator.emulated_estate import Estate
from reconciler.emulator.injected_faults import read_faults
from reconciler.emulator.key_pairs import new_key
from reconciler.emulator.mft_state import Tenant
from reconciler.emulator.population import DEMO_KEY_ID, demo
from reconciler.emulator.population import estate as generated
from reconciler.emulator.regional_estate import regions
from reconciler.emulator.server import Emulator
from reconciler.emulator.state_file import load, save
from reconciler.emulator.switches import Switches
from reconciler.errors import UsageError
from reconciler.files import write_whole

BUILT_IN: dict[str, Callable[[datetime], Estate]] = {"demo": demo, "regions": regions}
"""The estates that `--estate` names, each made for a moment."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What to serve, from where to start, and what to write beside it.

    `state` (a file), `estate` (built in) and `agents` (so many generated) exclude each other. `faults` are lines of the
    fault grammar, and `fault_file` holds more of them; `switches` are `name=value` texts. `port_file` receives the port
    once connections are accepted, `key_file` a fresh private key that the tenant knows as `DEMO_KEY_ID`.
    """

    port: int
    state: Path | None
    estate: str | None
    agents: int | None
    schedules: int
    seed: int
    save_to: Path | None
    latency: float
    faults: tuple[str, ...]
    fault_file: Path | None
    switches: tuple[str, ...]
    now: str | None
    log: Path | None
    key_file: Path | None
    port_file: Path | None
    form: str


def serve(
    options: ServeOptions,
    clock: Clock,
    *,
    until: Callable[[], AbstractContextManager[threading.Event]],
    announce: Callable[[str], None],
) -> None:
    """Serve until the event is set that `until` opens when all is ready; `announce` is given what is needed to connect.

    `clock` is what the products take for the time. Raises UsageError.
    """
    if sum(choice is not None for choice in (options.state, options.estate, options.agents)) > 1:
        raise UsageError("start from a state file, a built-in estate or a generated one, not from several")
    switches = Switches.parse(options.switches)
    faults = [*options.faults, *(read_faults(options.fault_file) if options.fault_file is not None else ())]
    try:
        estate = _opening(options, clock)
        if options.key_file is not None:
            register_key(estate, options.key_file)
        emulator = Emulator(
            estate,
            port=options.port,
            latency=options.latency,
            faults=faults,
            switches=switches,
            log=options.log,
            clock=clock,
        )
        with until() as stopped:
            with emulator:
                if options.port_file is not None:
                    write_whole(options.port_file, f"{emulator.port}\n")
                announce(greeting(emulator, options.key_file, as_json=options.form == "json"))
                stopped.wait()
            if options.save_to is not None:
                save(emulator.estate, options.save_to)
    except OSError as error:
        raise UsageError(
            f"the emulator cannot go on: {error}", hint="look at the port and the files it was given"
        ) from error


def _opening(options: ServeOptions, clock: Clock) -> Estate:
    if options.estate is not None:
        return BUILT_IN[options.estate](clock())
    if options.agents is not None:
        return generated(agents=options.agents, schedules=options.schedules, seed=options.seed)
    return load(options.state) if options.state is not None else Estate()


def register_key(estate: Estate, path: Path) -> None:
    """Write a fresh private key, readable by its owner alone, and let the tenant know its public half."""
    private, public = new_key()
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(private, encoding="ascii")
    estate.tenant = estate.tenant or Tenant("emulated-tenant")
    estate.tenant.keys[DEMO_KEY_ID] = public


def greeting(emulator: Emulator, key_file: Path | None, *, as_json: bool) -> str:
    """What is needed to connect: the address, the tokens, and the tenant."""
    tenant, tokens = emulator.estate.tenant, emulator.estate.tokens.values()
    if as_json:
        document = {
            "url": emulator.url,
            "port": emulator.port,
            "tokens": [{"value": token.value, "readOnly": token.read_only, "user": token.user} for token in tokens],
            "tenantId": tenant.tenant_id if tenant else None,
            "keyIds": sorted(tenant.keys) if tenant else [],
            "privateKey": str(key_file) if key_file else None,
        }
        return json.dumps(document)
    lines = [f"emulator listening on {emulator.url}"]
    lines += [f"  token ({'read only' if token.read_only else 'read and write'}): {token.value}" for token in tokens]
    if tenant is not None:
        lines.append(f"  tenant: {tenant.tenant_id}  keys: {', '.join(sorted(tenant.keys)) or 'none registered'}")
    return "\n".join(lines)

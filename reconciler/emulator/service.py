"""The emulator in the foreground: says where it listens, runs until it is told to stop, keeps its state if asked."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType

from reconciler.clock import MACHINE
from reconciler.emulator.emulated_estate import Estate
from reconciler.emulator.injected_faults import read_faults
from reconciler.emulator.key_pairs import new_key
from reconciler.emulator.mft_state import Tenant
from reconciler.emulator.population import DEMO_KEY_ID, demo
from reconciler.emulator.population import estate as generated
from reconciler.emulator.server import Emulator
from reconciler.emulator.state_file import load, save
from reconciler.emulator.switches import Switches
from reconciler.errors import UsageError
from reconciler.files import write_whole


def opening(
    *,
    state: Path | None = None,
    builtin: str | None = None,
    agents: int | None = None,
    schedules: int = 5,
    seed: int = 0,
    clock: Callable[[], datetime] = MACHINE,
) -> Estate | Path | None:
    """What to start from: a state file, a built-in estate, or a generated one. Raises UsageError for more than one."""
    if sum(choice is not None for choice in (state, builtin, agents)) > 1:
        raise UsageError("start from a state file, a built-in estate or a generated one, not from several")
    if builtin is not None:
        return demo(clock())
    if agents is not None:
        return generated(agents=agents, schedules=schedules, seed=seed)
    return state


def serve(
    state: Estate | Path | None = None,
    *,
    announce: Callable[[str], None],
    port: int = 0,
    latency: float = 0.0,
    faults: Iterable[str] = (),
    fault_file: Path | None = None,
    switches: Iterable[str] = (),
    log: Path | None = None,
    as_json: bool = False,
    port_file: Path | None = None,
    key_file: Path | None = None,
    save_to: Path | None = None,
    clock: Callable[[], datetime] = MACHINE,
) -> None:
    """Serve until SIGINT or SIGTERM.

    `faults` are lines of the fault grammar, and `fault_file` holds more of them; `switches` are `name=value` texts.
    `announce` is given what a person (or, with `as_json`, a program) needs to connect. `port_file` receives the port
    once connections are accepted. `key_file` receives a fresh private key that the tenant knows as `DEMO_KEY_ID`.
    `clock` is what the products take for the time.
    """
    switched = Switches.parse(switches)
    wrong = [*faults, *(read_faults(fault_file) if fault_file is not None else ())]
    try:
        estate = load(state) if isinstance(state, Path) else state or Estate()
        if key_file is not None:
            register_key(estate, key_file)
        emulator = Emulator(estate, port=port, latency=latency, faults=wrong, switches=switched, log=log, clock=clock)
        with _stop_signals() as stopped:
            with emulator:
                if port_file is not None:
                    write_whole(port_file, f"{emulator.port}\n")
                announce(greeting(emulator, key_file, as_json=as_json))
                stopped.wait()
            if save_to is not None:
                save(emulator.estate, save_to)
    except OSError as error:
        raise UsageError(
            f"the emulator cannot go on: {error}", hint="look at the port and the files it was given"
        ) from error


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
    tenant = emulator.estate.tenant
    tokens = [
        {"value": token.value, "readOnly": token.read_only, "user": token.user}
        for token in emulator.estate.tokens.values()
    ]
    if as_json:
        document = {
            "url": emulator.url,
            "port": emulator.port,
            "tokens": tokens,
            "tenantId": tenant.tenant_id if tenant else None,
            "keyIds": sorted(tenant.keys) if tenant else [],
            "privateKey": str(key_file) if key_file else None,
        }
        return json.dumps(document)
    lines = [f"emulator listening on {emulator.url}"]
    lines += [f"  token ({'read only' if t['readOnly'] else 'read and write'}): {t['value']}" for t in tokens]
    if tenant is not None:
        lines.append(f"  tenant: {tenant.tenant_id}  keys: {', '.join(sorted(tenant.keys)) or 'none registered'}")
    return "\n".join(lines)


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

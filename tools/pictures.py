"""Makes the README's pictures anew: `python -m tools.pictures`, or `make pictures`.

The examples are applied to the demo estate of the emulator, beside agents of ten regions; then somebody edits and
removes, and somebody changes a schedule by hand. What `report` makes of that is photographed in Chromium. All of it
happens at one moment that is written down here, so that a picture changes only where the pages do.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from reconciler import cli
from reconciler.clock import Clock
from reconciler.emulator import Emulator, Estate, demo, new_key
from reconciler.emulator.acc_state import Run

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
MOMENT = datetime(2026, 11, 22, 20, 45, tzinfo=UTC)
WIDTH, HEIGHT = 1180, 1000
PAGES = {"overview": "index.html", "plan": "plan.html", "calendar": "calendar.html", "status": "status.html"}
SHOWN = {"plan": "document.getElementById('fold').click(); document.querySelector('.group.update').open = true"}
"""What is done on a page before its picture is taken: all cards of a plan, and one of them in full."""

REGIONS = ("au", "br", "ca", "de", "fr", "in", "jp", "nz", "uk", "us")

_OFFERS = """\
apiVersion: reconciler/v1
kind: Agent
forEach: [{items}]
metadata: {{name: "offers-${{each.region}}", labels: {{team: offers}}}}
spec:
  path: sequentum/Offers/${{each.region}}
  schedules:
    - {{name: poll, every: 4h, startTime: 2026-01-01T00:00:00, timeZone: UTC}}
    - {{name: nightly, cron: "0 ${{each.minute}} 1 * * *", startTime: 2026-01-01T00:00:00, timeZone: Australia/Sydney}}
"""
_NEW = '    - {name: weekly, cron: "0 ${each.minute} 5 * * SUN", startTime: 2026-01-01T00:00:00, timeZone: UTC}\n'


class PicturedClock(Clock):
    """The machine's pace from a moment on, until it is stopped, so that no picture shows how long it took."""

    stopped: datetime | None = None

    def __call__(self) -> datetime:
        return self.stopped or super().__call__()


def main() -> int:
    clock = PicturedClock(MOMENT - timedelta(hours=1))
    estate = demo(clock())
    for region in REGIONS:
        estate.add_agent(f"sequentum/Offers/{region}", duration=95.0)
    with tempfile.TemporaryDirectory(prefix="reconciler-pictures-") as made, Emulator(estate, clock=clock) as emulator:
        project, site = Path(made, "project"), Path(made, "site")
        shutil.copytree(
            ROOT / "examples", project, ignore=shutil.ignore_patterns("demo.py", "__pycache__", ".reconciler")
        )
        _prepare(project, emulator, clock)
        clock.stopped = MOMENT
        _run(clock, project, "report", "--out", str(site), expect=None)
        with _browser() as chrome:
            for name, page in PAGES.items():
                chrome.get((site / page).as_uri())
                chrome.execute_script(SHOWN.get(name, ""))
                chrome.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
                (IMAGES / f"{name}.png").write_bytes(chrome.get_screenshot_as_png())
    return 0


def _prepare(project: Path, emulator: Emulator, clock: Clock) -> None:
    """Apply what the examples declare; then edit, add, remove, and change one schedule behind the program's back."""
    estate = emulator.estate
    private, public = new_key()
    assert estate.tenant is not None
    estate.tenant.keys["pictures"] = public
    os.environ.update(
        ACC_URL=emulator.url,
        ACC_TOKEN=emulator.token,
        MFT_URL=emulator.url,
        MFT_TENANT_ID=estate.tenant.tenant_id,
        MFT_KEY_ID="pictures",
        MFT_PRIVATE_KEY=private,
        PRICES_API_KEY="not-to-be-seen-anywhere",
        GIT_CEILING_DIRECTORIES=str(project.parent),
    )
    items = ", ".join(f'{{region: {one}, minute: "{7 * at % 60}"}}' for at, one in enumerate(REGIONS))
    (project / "manifests" / "offers.yaml").write_text(_OFFERS.format(items=items), encoding="utf-8")
    _run(clock, project, "apply", "--auto-approve")
    _edit(project, "offers.yaml", "every: 4h", "every: 2h")
    _edit(project, "offers.yaml", "    - {name: nightly", f"{_NEW}    - {{name: nightly")
    _edit(project, "prices.yaml", "every: 1h", "every: 20m")
    _edit(project, "prices.yaml", 'revision: "2026-11-22"', 'revision: "2026-11-23"')
    _edit(project, "reviews.yaml", "{depth: 1}", "{depth: 2}")
    _edit(project, "travel.yaml", "inputParameters: {days: 14}", "inputParameters: {days: 14}\n      enabled: false")
    stock = (project / "manifests" / "stock.yaml").read_text(encoding="utf-8")
    weekend = stock[stock.index("    - name: weekend") : stock.index("    - name: stocktake")]
    _edit(project, "stock.yaml", weekend, "")
    _meanwhile(estate)


def _meanwhile(estate: Estate) -> None:
    """What ACC did meanwhile: every schedule ran, as its agent's runs end; and somebody moved one."""
    for schedule in [*estate.schedules.values()]:
        agent = schedule.agent
        start = MOMENT - timedelta(minutes=12 + len(agent.runs))
        job = estate.add_job(agent, start, schedule.schedule_id)
        end = start + timedelta(seconds=agent.duration)
        run = Run(estate.new_id(), agent, start, end, agent.outcomes[-1], job, schedule.schedule_id)
        estate.add_run(run, settled=True)
        schedule.last_run_time = start
        schedule.show_end(run)
    prices = estate.agents["sequentum/Retail/prices"]
    nightly = next(one for one in estate.schedules.values() if one.agent is prices and one.cron == "0 0 2 * * MON-FRI")
    nightly.cron = "0 30 4 * * MON-FRI"


def _edit(project: Path, name: str, before: str, after: str) -> None:
    path = project / "manifests" / name
    text = path.read_text(encoding="utf-8")
    if before not in text:
        raise SystemExit(f"{name} has no {before!r}: the pictures are of another example")
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def _run(clock: Clock, project: Path, *arguments: str, expect: int | None = 0) -> None:
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = cli.main(["-C", str(project), *arguments], clock=clock)
    if expect is not None and code != expect:
        raise SystemExit(f"reconciler {' '.join(arguments)} ended with {code}:\n{said.getvalue()}")


@contextmanager
def _browser() -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")
    for flag in (*flags, "--force-color-profile=srgb", "--font-render-hinting=none"):
        options.add_argument(flag)
    chrome = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    metrics = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    wishes = {"prefers-color-scheme": "light", "prefers-reduced-motion": "reduce"}
    features = [{"name": name, "value": value} for name, value in wishes.items()]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
    try:
        yield chrome
    finally:
        chrome.quit()


if __name__ == "__main__":
    sys.exit(main())

"""The calendar's page in a browser: its maps are true in every zone, its hours open, and nothing foreign runs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from browser_window import Faultless, Show, look
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from test_pages import PAYLOADS

from reconciler import timetable
from reconciler.calendar import html_form
from reconciler.calendar.forecast import Calendar, Entry, Source, forecast_of, grid_of, read_zone, window_of
from reconciler.calendar.job_starts import Job
from reconciler.render import Stamp
from reconciler.render.html import Links
from reconciler.timetable.instants import starts_between

STAMP = Stamp("1.0.0", "retail-data", "prod", "2026-03-30T05:12:07Z")
AS_OF = datetime(2026, 3, 30, 5, 12, 7, tzinfo=UTC)
FIRST = date(2026, 3, 30)
PAYLOAD = " ".join(PAYLOADS)


def entry(
    address: str, rhythm: str, *, seconds: int | None = 600, enabled: bool = True, zone: str = "Australia/Sydney"
) -> Entry:
    expression = timetable.parse(rhythm) if " " in rhythm else timetable.parse_every(rhythm)
    timing = timetable.Timing(expression, datetime(2026, 1, 1), zone)
    path = f"sequentum/{address.split('/')[1]}"
    return Entry(Job(address, path, timing, enabled, seconds), timetable.describe(expression))


def found(
    entries: Iterable[Entry],
    *,
    before: Iterable[Entry] | None = None,
    days: int = 7,
    first: date = FIRST,
    zone: str = "Australia/Sydney",
) -> Calendar:
    clock = read_zone(zone)
    window = window_of(first, days, clock)
    as_of = AS_OF + (first - FIRST)
    return Calendar(
        source=Source.LIVE if before is None else Source.PLAN,
        zone=clock,
        zone_reason="the zone of all schedules",
        as_of=as_of,
        threshold=10,
        shown=forecast_of(tuple(entries), window, clock, as_of=as_of),
        before=None if before is None else forecast_of(tuple(before), window, clock, as_of=as_of),
        unreadable=((PAYLOAD, PAYLOAD),),
        notes=(PAYLOAD,),
    )


def calendar(*entries: Entry, before: tuple[Entry, ...] | None = None, days: int = 7) -> str:
    return html_form.calendar(found(entries, before=before, days=days), STAMP)


def shops(size: int) -> tuple[Entry, ...]:
    """So many schedules, each of an agent of its own, at five hours of the day."""
    return tuple(entry(f"schedule/shop-{n:04}/nightly", f"{n % 60} {n // 60 % 60} {n % 5} * * *") for n in range(size))


SHOPS = tuple(entry(f"schedule/shop-{n}/nightly", f"0 0 {n % 5} * * *") for n in range(20))
CLASH = (
    entry("schedule/prices/nightly", "0 0 2 * * *", seconds=3600),
    entry("schedule/prices/early", "0 30 2 * * *", seconds=1800),
    entry("schedule/prices/noon", "0 0 12 * * *"),
    entry("schedule/stock/a", "0 0 4 1 4 *", seconds=None),
    entry("schedule/stock/b", "0 0 4 1 4 *", seconds=None),
)
SIZES: dict[str, str] = {
    "one": calendar(*shops(1)),
    "25": calendar(*shops(25)),
    "300": calendar(*shops(300), *CLASH),
    "5000": calendar(*shops(5_000)),
    "plan": calendar(*shops(300), *CLASH, before=shops(280)),
    "quarter": calendar(*shops(25), before=shops(20), days=92),
    "none": calendar(),
}


def complaints(chrome: Chrome) -> list[str]:
    lines = chrome.get_log("browser")  # type: ignore[no-untyped-call]  # selenium leaves it without types
    return [line["message"] for line in lines if line["level"] == "SEVERE"]


def cell(chrome: Chrome, day: int, hour: int, side: str = "shown") -> WebElement:
    return chrome.find_element(
        By.CSS_SELECTOR, f'[data-side="{side}"] > :nth-child({day + 2}) > :nth-child({hour + 2})'
    )


def choose(chrome: Chrome, name: str) -> None:
    label = chrome.find_element(By.XPATH, f"//label[contains(., '{name}')]")
    chrome.execute_script("arguments[0].scrollIntoView({block: 'start'})", label)
    label.click()


def opened(chrome: Chrome) -> dict[str, list[str]]:
    """What the opened hour lists: at which times, which schedules."""
    panel = chrome.find_element(By.ID, "opened")
    return {
        group.find_element(By.TAG_NAME, "dt").text: [one.text for one in group.find_elements(By.TAG_NAME, "a")]
        for group in panel.find_elements(By.CSS_SELECTOR, "dl > div")
    }


def press(chrome: Chrome, *keys: str) -> None:
    for key in keys:
        ActionChains(chrome).send_keys(key).perform()


# --- how it looks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [1, 7, 31])
@pytest.mark.parametrize("is_plan", [False, True], ids=["live", "plan"])
def test_nothing_sticks_out(show: Show, days: int, is_plan: bool) -> None:
    long = entry(f"schedule/{'long' * 30}/nightly", "0 0 2 * * *")
    chrome = show(calendar(*SHOPS, long, before=SHOPS if is_plan else None, days=days))
    for width in (320, 390, 768, 1280):
        look(chrome, width=width)
        wide, seen = chrome.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
        assert wide <= seen
        boxes = chrome.execute_script(
            """return [...document.querySelectorAll('.hours [role="gridcell"]:not(.t)')].map((one) => {
            const {width, height} = one.getBoundingClientRect(); return [width, height]; })"""
        )
        assert len(boxes) == 24 * days * (3 if is_plan else 1)
        assert all(broad >= 7 and high >= 16 for broad, high in boxes)
    assert complaints(chrome) == []


COLOURS = """
  const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1});
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const rgb = (colour) => {
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  return [...document.querySelectorAll(arguments[0])].map((one) => {
    const {backgroundColor, color} = getComputedStyle(one);
    return [rgb(backgroundColor), rgb(color)];
  });
"""


def luminance(colour: list[int]) -> float:
    parts = [part / 255 for part in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


def lightness(colour: list[int]) -> float:
    """CIE's L*, from 0 to 100: even steps of it look even."""
    return 116 * math.cbrt(luminance(colour)) - 16


def contrast(one: list[int], other: list[int]) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_shade_can_be_read_and_they_go_evenly_from_blank(show: Show, theme: str) -> None:
    rising = [entry(f"schedule/a{hour}/{n}", f"0 {n} {hour} * * *") for hour in range(24) for n in range(3 * hour % 60)]
    chrome = show(calendar(*rising, *SHOPS))
    look(chrome, theme=theme)
    for name, steps in (("s", 64), ("more", 32), ("less", 32)):
        chrome.execute_script(
            """document.querySelector(".strip").replaceChildren(...Array.from({length: arguments[1] + 1}, (_, step) =>
            Object.assign(document.createElement("i"), {className: arguments[0] + step})));
            for (const one of document.querySelector(".strip").children) one.style.color = "var(--on, var(--soft))";""",
            name,
            steps,
        )
        shades = chrome.execute_script(COLOURS, ".strip:first-child i")[: steps + 1]
        assert min(contrast(*pair) for pair in shades) >= 4.5
        tones = [lightness(shade[0]) for shade in shades]
        jumps = [abs(one - other) for one, other in itertools.pairwise(tones)]
        assert max(jumps) <= 1.6 * abs(tones[0] - tones[-1]) / steps, "no shade stands out from the one before it"
        assert max(jumps) < (1.6 if steps == 64 else 3.2)


def test_a_plan_is_shown_before_and_after_beside_each_other_and_by_its_effect(show: Show) -> None:
    chrome = show(calendar(*SHOPS, entry("schedule/new/one", "0 0 7 * * *"), before=SHOPS))
    before, after, change = chrome.find_elements(By.CSS_SELECTOR, ".map")
    assert before.location["y"] == after.location["y"] and before.location["x"] < after.location["x"]
    assert [cell(chrome, 0, 7, side).text for side in ("before", "shown", "change")] == ["", "1", "+1"]
    assert "20 →" in chrome.find_element(By.CSS_SELECTOR, ".tiles").text
    look(chrome, width=390)
    assert before.location["y"] < after.location["y"] < change.location["y"]
    assert before.location["x"] == after.location["x"]


def test_a_reader_chooses_what_the_maps_show(show: Show) -> None:
    chrome = show(calendar(*SHOPS, entry("schedule/new/one", "0 0 7 * * *"), before=SHOPS))
    choose(chrome, "Runs at a time")
    assert [cell(chrome, 0, 7, side).text for side in ("before", "shown", "change")] == ["", "0.17", "+0.17"]
    assert chrome.find_element(By.CSS_SELECTOR, ".unit").text == "runs at a time"
    choose(chrome, "Starts")
    assert cell(chrome, 0, 7).text == "1"


# --- clocks ----------------------------------------------------------------------------------------------------------

ZONES = ("Australia/Lord_Howe", "Pacific/Chatham", "America/New_York", "Asia/Katmandu")
RHYTHMS = ("7m", "0 */7 * * * *", "0 15,45 9-17 * * MON-FRI", "90m", "0 0 2 * * *", "30 1 23 L * ?", "36h")


def drawn(chrome: Chrome) -> list[tuple[str, list[str]]]:
    """The map: every day, and its cells; "-" for an hour that is not there."""
    rows: list[tuple[str, list[str]]] = chrome.execute_script(
        """return [...document.querySelectorAll('[data-side="shown"] > :not(:first-child)')].map((row) =>
        [row.firstElementChild.querySelector("b").textContent, [...row.children].slice(1, 25).map((one) =>
        one.matches(".skipped, .outside") ? "-" : one.textContent)]);"""
    )
    return rows


@pytest.mark.parametrize("first", [date(2026, 3, 3), date(2026, 3, 25), date(2026, 9, 22), date(2026, 10, 28)])
def test_another_clock_shows_the_same_instants(show: Show, first: date) -> None:
    """Weeks in which some of these clocks are changed: by an hour, by half an hour, forward and back."""
    entries = [
        entry(f"schedule/a{n}/{m}", rhythm, zone=zone)
        for n, zone in enumerate(ZONES)
        for m, rhythm in enumerate(RHYTHMS)
    ]
    known = found(entries, first=first, days=14)
    chrome = show(html_form.calendar(known, STAMP))
    own = chrome.execute_script("return document.querySelector('.maps').innerHTML.replace(/ tabindex=\"0\"/g, '')")
    for zone in (*ZONES, "UTC"):
        choose(chrome, zone)
        grid = grid_of(known.shown.load, read_zone(zone))
        expected = [
            (str(day.day), ["-" if count is None else str(count or "") for count in counts])
            for day, counts in zip(grid.days, grid.starts, strict=True)
        ]
        assert [(day, cells) for day, cells in drawn(chrome)] == expected
        coming = known.shown.coming[0][0]
        local = datetime.fromtimestamp(coming, read_zone(zone))
        said = chrome.find_element(By.CSS_SELECTOR, ".columns time").text
        assert said.startswith(f"{local:%a} {local.day} {local:%b %H:%M}")
    choose(chrome, "Australia/Sydney")
    again = chrome.execute_script("return document.querySelector('.maps').innerHTML.replace(/ tabindex=\"0\"/g, '')")
    assert again.replace("\n", "") == own.replace("\n", ""), "the script draws what the page came with"


@pytest.mark.parametrize("zone", ["Etc/UTC", "UTC", "Etc/UCT", "Australia/Sydney"])
def test_one_clock_is_one_choice(show: Show, zone: str) -> None:
    entries = [entry("schedule/a/nightly", "0 0 2 * * *", zone=zone)]
    chrome = show(html_form.calendar(found(entries, zone=zone), STAMP))
    offered = [one.get_attribute("value") for one in chrome.find_elements(By.NAME, "zone")]
    assert sum(str(one).endswith(("UTC", "UCT")) for one in offered) == 1
    assert chrome.find_element(By.CSS_SELECTOR, "[name=zone]:checked").get_attribute("value") == offered[0]
    chrome.execute_script("location.hash = '2026-03-31T02@UTC'")
    chrome.execute_async_script("setTimeout(arguments[0])")
    assert chrome.find_element(By.ID, "opened").is_displayed()


@pytest.mark.parametrize("zone", ["Australia/Sydney", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize("first", [date(2026, 4, 4), date(2026, 10, 3), date(2026, 11, 24)])
def test_an_opened_hour_names_every_start_in_it(show: Show, zone: str, first: date) -> None:
    entries = [
        entry(f"schedule/a{n}/{m}", rhythm, zone=one)
        for n, one in enumerate(("Australia/Sydney", "Australia/Lord_Howe", "Europe/Berlin"))
        for m, rhythm in enumerate(RHYTHMS)
    ]
    known = found(entries, first=first, days=2, zone=zone)
    chrome = show(html_form.calendar(known, STAMP))
    window = known.shown.load.window
    for day in range(2):
        for hour in (0, 1, 2, 3, 9, 23):
            expected: dict[str, list[str]] = {}
            for one in known.shown.entries:
                times = [known.local(at) for at in starts_between(one.job.timing, window.begin, window.end)]
                times = [at for at in times if (at.date(), at.hour) == (first + timedelta(days=day), hour)]
                if times:
                    expected[one.job.address] = [f"{at:%H:%M}" for at in times]
            target = cell(chrome, day, hour)
            if "skipped" in str(target.get_attribute("class")):
                assert not expected
                continue
            chrome.execute_script("arguments[0].click()", target)
            listed = {name: times for times, names in opened(chrome).items() for name in names}
            assert listed.keys() == expected.keys()
            for name, texts in expected.items():
                assert listed[name].startswith(texts[0])
                assert len(texts) == 1 or f"{len(texts)} start" in listed[name]


# --- an hour opened --------------------------------------------------------------------------------------------------


def test_a_cell_opens_its_starts_and_can_be_linked_to(show: Show) -> None:
    chrome = show(calendar(*SHOPS, entry("schedule/prices/poll", "15m", zone="UTC")))
    cell(chrome, 1, 4).click()
    assert chrome.find_element(By.ID, "opened-title").text == "Tue 31 Mar 04:00, 8 starts"
    listed = opened(chrome)
    assert listed["04:00\n4 schedules"] == [f"schedule/shop-{n}/nightly" for n in (14, 19, 4, 9)]
    assert listed["04:00, then every 15m\n4 starts"] == ["schedule/prices/poll"]
    assert chrome.current_url.endswith("#2026-03-31T04")
    chrome.refresh()
    assert chrome.find_element(By.ID, "opened-title").text == "Tue 31 Mar 04:00, 8 starts"
    choose(chrome, "UTC")
    assert chrome.find_element(By.ID, "opened-title").text == "Mon 30 Mar 17:00, 8 starts", "the same hour"
    assert chrome.current_url.endswith("#2026-03-30T17@UTC")
    chrome.refresh()
    assert chrome.find_element(By.ID, "opened-title").text == "Mon 30 Mar 17:00, 8 starts"
    press(chrome, Keys.ESCAPE)
    assert not chrome.find_element(By.ID, "opened").is_displayed()
    assert "#" not in chrome.current_url
    cell(chrome, 1, 4).click()
    chrome.find_element(By.LINK_TEXT, "schedule/prices/poll").click()
    assert chrome.execute_script("return document.querySelector(':target').id") == "schedule/prices/poll"


def test_the_change_of_an_hour_says_who_changes_it(show: Show) -> None:
    after = (*SHOPS[1:], entry("schedule/shop-0/nightly", "0 0,20 4 * * *"))
    chrome = show(calendar(*after, before=SHOPS))
    cell(chrome, 2, 4, "change").click()
    assert chrome.find_element(By.ID, "opened-title").text == "Wed 1 Apr 04:00, +2 starts by the plan"
    assert opened(chrome) == {"+2 none → 04:00, 04:20": ["schedule/shop-0/nightly"]}
    assert chrome.current_url.endswith("#change/2026-04-01T04")
    cell(chrome, 2, 0, "before").click()
    assert "schedule/shop-0/nightly" in next(iter(opened(chrome).values()))
    cell(chrome, 2, 0).click()
    assert "schedule/shop-0/nightly" not in next(iter(opened(chrome).values()))


def test_the_maps_are_walked_from_the_keyboard(show: Show) -> None:
    chrome = show(calendar(*SHOPS))
    map_of = "document.querySelector('.hours')"
    assert chrome.execute_script(f"return {map_of}.querySelectorAll('[tabindex]').length") == 1
    chrome.execute_script(f"{map_of}.querySelector('[tabindex]').focus()")
    press(chrome, Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    assert chrome.switch_to.active_element == cell(chrome, 1, 2)
    press(chrome, Keys.ENTER)
    assert chrome.find_element(By.ID, "opened-title").text == "Tue 31 Mar 02:00, 4 starts"
    assert chrome.switch_to.active_element.get_attribute("id") == "opened"
    press(chrome, Keys.ESCAPE)
    assert chrome.switch_to.active_element == cell(chrome, 1, 2)
    press(chrome, Keys.ARROW_UP, Keys.ARROW_UP, Keys.END)
    assert chrome.switch_to.active_element == cell(chrome, 0, 23)
    look(chrome, width=390)
    press(chrome, Keys.ARROW_RIGHT, Keys.ARROW_UP)
    assert chrome.switch_to.active_element == cell(chrome, 1, 22), "days stand beside each other there"


def test_the_opened_hour_is_in_sight_above_what_it_opens(show: Show) -> None:
    chrome = show(calendar(*shops(300), days=31))
    for day, hour in ((2, 4), (30, 0), (14, 2)):
        press(chrome, Keys.ESCAPE)
        target = cell(chrome, day, hour)
        chrome.execute_script("arguments[0].scrollIntoView({block: 'end'})", target)
        target.click()
        low, top, end, high = chrome.execute_script(
            "const [one, panel] = [arguments[0], arguments[1]].map((each) => each.getBoundingClientRect());"
            "return [one.top, one.bottom, panel.top, Math.min(panel.bottom, innerHeight)]",
            target,
            chrome.find_element(By.ID, "opened"),
        )
        assert 0 <= low < top <= end < high


def test_in_a_site_every_name_leads_to_its_agents_page(show: Show) -> None:
    entries = (*shops(450), *CLASH, entry("schedule/{odd} ?#%/a", "0 0 4 * * *"))
    homes = {one.job.address: f"agents/{one.job.address.split('/')[1][:6]} x.html" for one in entries[5:]}
    chrome = show(html_form.calendar(found(entries), STAMP, Links(homes=homes, root="../")))
    chrome.find_element(By.ID, "list-all").click()
    cell(chrome, 0, 4).click()
    script = """return [...document.querySelectorAll("#rows a, #opened a, .columns .who a, .lane-grid a")].map((one) =>
      [one.textContent, one.getAttribute("href")]);"""
    leads = chrome.execute_script(script)
    links = Links(homes=homes, root="../").showing(one.job.address for one in entries)
    assert len(leads) > 500
    assert [(name, href) for name, href in leads if href != links.of(name)] == []
    assert links.of("schedule/prices/noon").startswith("../agents/prices%20x.html#")


# --- lanes -----------------------------------------------------------------------------------------------------------


def lanes(chrome: Chrome) -> dict[str, tuple[int, int, int]]:
    """Of every lane: how many runs, ticks and overlaps it shows."""
    found: dict[str, list[int]] = chrome.execute_script("""
      const count = (who, name) => who.nextElementSibling.querySelectorAll("." + name).length;
      return Object.fromEntries([...document.querySelectorAll(".lane-grid .who")].map((who) =>
        [who.querySelector("a").textContent, ["run", "tick", "clash"].map((name) => count(who, name))]));""")
    return {name: (counts[0], counts[1], counts[2]) for name, counts in found.items()}


def test_a_collision_is_seen_on_the_lanes_of_its_agent(show: Show) -> None:
    chrome = show(calendar(*SHOPS, *CLASH))
    assert lanes(chrome) == {
        "schedule/prices/early": (1, 0, 1),
        "schedule/prices/nightly": (1, 0, 1),
        "schedule/prices/noon": (1, 0, 0),
    }
    where = """
      const all = [...document.querySelectorAll(".lane-grid .who")];
      const whose = (name) => all.find((one) => one.textContent.includes(name));
      const hours = (name, kind) => {
        const strip = whose(name).nextElementSibling;
        const whole = strip.getBoundingClientRect();
        const {left, right} = strip.querySelector(kind).getBoundingClientRect();
        return [left, right].map((at) => 24 * (at - whole.left) / whole.width);
      };
      return [hours("nightly", ".run"), hours("nightly", ".clash"), hours("early", ".clash")];"""
    run, clash, other = chrome.execute_script(where)
    assert run == pytest.approx([2, 3], abs=0.05)
    assert clash == other == pytest.approx([2.5, 3], abs=0.05)
    told = chrome.find_element(By.CSS_SELECTOR, ".clashes").text
    assert told == "02:30 to 03:00: schedule/prices/early schedule/prices/nightly"
    link = next(one for one in chrome.find_elements(By.CSS_SELECTOR, ".to-lane") if "stock" in one.text)
    link.click()
    assert chrome.find_element(By.ID, "lane-day").text == "Wed 1 Apr"
    assert lanes(chrome) == {"schedule/stock/a": (0, 1, 1), "schedule/stock/b": (0, 1, 1)}
    chrome.find_element(By.ID, "lane-after").click()
    assert lanes(chrome) == {"schedule/stock/a": (0, 0, 0), "schedule/stock/b": (0, 0, 0)}
    assert chrome.current_url.endswith("#lanes/2026-04-02/sequentum/stock")
    chrome.refresh()
    assert chrome.find_element(By.ID, "lane-day").text == "Thu 2 Apr"


def test_any_agent_can_be_chosen_and_those_with_collisions_come_first(show: Show) -> None:
    chrome = show(SIZES["300"])
    select = chrome.find_element(By.ID, "lane-agent")
    assert len(select.find_elements(By.TAG_NAME, "option")) == 2, "the others are put there when they are asked for"
    chrome.execute_script("arguments[0].focus()", select)
    assert len(select.find_elements(By.TAG_NAME, "option")) == 302
    assert [one.get_attribute("label") for one in select.find_elements(By.TAG_NAME, "optgroup")] == [
        "with collisions",
        "without collisions",
    ]
    chrome.execute_script(
        "const all = arguments[0]; all.value = [...all.options].find((one) => one.text.endsWith('shop-0007')).value;"
        "all.dispatchEvent(new Event('change'))",
        select,
    )
    assert lanes(chrome) == {"schedule/shop-0007/nightly": (1, 0, 0)}
    assert "No runs of this agent overlap" in chrome.find_element(By.ID, "lane-rows").text


def test_an_agent_with_thousands_of_runs_a_day_is_drawn_in_part(show: Show) -> None:
    many = [entry(f"schedule/prices/s{n:03}", f"{n % 60} {n % 3}/3 * * * *", seconds=90) for n in range(200)]
    chrome = show(calendar(*many))
    assert len(lanes(chrome)) == 60
    button = chrome.find_element(By.CSS_SELECTOR, "#lane-rows button")
    assert button.text == "and 24 schedules more"
    button.click()
    assert len(lanes(chrome)) == 84
    # What is rendered of tens of thousands of bars takes a driver half a minute to put together.
    told = chrome.execute_script("return document.getElementById('lane-rows').textContent")
    assert "and 116 schedules more, which are left out: the others run 40,320 times on this day" in told


def test_a_link_to_an_hour_of_a_clock_that_is_not_there_opens_none(show: Show) -> None:
    chrome = show(calendar(*SHOPS))
    for link in ("2026-03-31T04@Mars/Phobos", "2026-03-31T99", "2027-01-01T04", "change/2026-03-31T04"):
        chrome.execute_script("location.hash = arguments[0]", link)
        chrome.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
        assert not chrome.find_element(By.ID, "opened").is_displayed()
    assert complaints(chrome) == []


# --- all schedules ---------------------------------------------------------------------------------------------------


def test_the_list_is_filtered_from_the_keyboard(show: Show) -> None:
    chrome = show(calendar(*SHOPS))
    chrome.find_element(By.TAG_NAME, "body").send_keys("/")
    find = chrome.switch_to.active_element
    find.send_keys("shop-1 nightly")
    rows = [row for row in chrome.find_elements(By.CSS_SELECTOR, ".all tbody tr") if row.is_displayed()]
    assert len(rows) == 11
    assert chrome.find_element(By.ID, "told").text == "11 of 20"
    find.send_keys(Keys.ESCAPE)
    assert len([row for row in chrome.find_elements(By.CSS_SELECTOR, ".all tbody tr") if row.is_displayed()]) == 20


def test_a_schedule_far_down_is_found_by_name_and_by_link(show: Show) -> None:
    chrome = show(SIZES["5000"])
    shown = "[...document.querySelectorAll('#rows tr')].filter((one) => one.checkVisibility())"
    rows = f"return {shown}.map((one) => one.innerText)"
    assert len(chrome.execute_script(rows)) < 1_000
    chrome.find_element(By.ID, "find").send_keys("shop-4321")
    (row,) = chrome.execute_script(rows)
    assert row.split() == [
        *("schedule/shop-4321/nightly", "sequentum/shop-4321", "At", "01:12:01", "every", "day"),
        *("AUS", "Eastern", "Standard", "Time", "Tue", "31", "Mar", "01:12:01", "10m", "7"),
    ]
    assert chrome.find_element(By.ID, "told").text == "1 of 5,000"
    chrome.find_element(By.ID, "find").send_keys(Keys.ESCAPE)
    chrome.execute_script("location.hash = 'schedule/shop-4999/nightly'")
    chrome.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert chrome.find_element(By.ID, "schedule/shop-4999/nightly").is_displayed()
    chrome.find_element(By.ID, "find").send_keys(Keys.ESCAPE)
    chrome.execute_script("document.getElementById('list-all').click()")
    assert len(chrome.execute_script("return document.querySelectorAll('#rows tr')")) == 5_000


def test_what_the_script_writes_of_a_schedule_is_what_the_page_came_with(show: Show) -> None:
    kinds = [entry(f"schedule/a{n}/x", rhythm, zone="Europe/Berlin") for n, rhythm in enumerate(RHYTHMS)]
    many = [entry(f"schedule/b{n}/x", RHYTHMS[n % 7], zone="Europe/Berlin", enabled=n != 5) for n in range(500)]
    plain = show(calendar(*kinds, *many)).execute_script(
        "return [...document.querySelectorAll('#rows tr')].map((one) => one.innerHTML.replace(/\\n/g, ''))"
    )
    tail = many[-7:]
    chrome = show(calendar(*[entry(f"schedule/a{n:03}/y", "1d") for n in range(450)], *tail))
    chrome.execute_script("document.getElementById('list-all').click()")
    written = chrome.execute_script(
        "return [...document.querySelectorAll('#rows tr')].slice(-7).map((one) => one.innerHTML)"
    )
    hours = [text[text.index("<svg") : text.index("</svg>")] for text in written]
    known = {text[text.index("<svg") : text.index("</svg>")] for text in plain}
    assert set(hours) <= known
    assert [text.count("<td") for text in written] == [6] * 7


# --- for everybody ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_name_becomes_a_script(show: Show, payload: str) -> None:
    odd = entry(f"schedule/{payload}/nightly", "0 0 2 * * *"), entry(f"schedule/{payload}/other", "0 5 2 * * *")
    chrome = show(calendar(*odd, *shops(450), before=SHOPS))
    cell(chrome, 1, 2).click()
    choose(chrome, "UTC")
    chrome.find_element(By.ID, "list-all").click()
    chrome.find_element(By.ID, "find").send_keys("nightly")
    assert chrome.execute_script("return window.pwned") is None
    assert not chrome.find_elements(By.CSS_SELECTOR, "main img, main iframe, svg[onload]")
    assert f"schedule/{payload}/nightly" in chrome.find_element(By.ID, "opened").text
    assert PAYLOAD in chrome.find_element(By.CSS_SELECTOR, ".notes").text
    handlers = "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames().filter(a => a.startsWith('on')))"
    assert chrome.execute_script(f"return {handlers}") == []
    assert complaints(chrome) == []


@pytest.mark.parametrize("page", SIZES)
def test_everybody_can_read_it(show: Show, faultless: Faultless, page: str) -> None:
    chrome = show(SIZES[page])
    for width, theme in ((1280, "light"), (390, "dark")):
        look(chrome, width=width, theme=theme)
        if page != "none":
            chrome.execute_script("document.querySelector('.hours').children[2].children[3].click()")
        faultless(chrome)


def test_it_is_read_without_its_script(show: Show) -> None:
    page = calendar(*SHOPS, *CLASH)
    chrome = show(page[: page.rindex("<script>")] + "</body></html>")
    assert cell(chrome, 0, 4).text == "4"
    assert not chrome.find_element(By.ID, "choices").is_displayed()
    assert not chrome.find_element(By.ID, "lanes").is_displayed()
    chrome.find_element(By.CSS_SELECTOR, ".numbers summary").click()
    assert chrome.find_element(By.CSS_SELECTOR, ".plain td:nth-child(6)").text == "4"
    assert "schedule/prices/nightly" in chrome.find_element(By.CSS_SELECTOR, ".columns").text


def test_paper_is_light_and_has_no_controls(show: Show) -> None:
    chrome = show(calendar(*SHOPS))
    look(chrome, theme="dark", media="print")
    for control in ("find", "choices", "lane-agent"):
        assert not chrome.find_element(By.ID, control).is_displayed()
    assert chrome.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert cell(chrome, 0, 4).text == "4"


def test_thousands_of_schedules_stay_a_bounded_page() -> None:
    assert len(SIZES["5000"].encode()) < 1_300_000
    uneven = [entry(f"schedule/a{n}/x", f"0 {n % 7},{n % 11 + 20},41 8-18 * * MON-FRI") for n in range(5_000)]
    assert len(calendar(*uneven, days=92).encode()) < 1_700_000

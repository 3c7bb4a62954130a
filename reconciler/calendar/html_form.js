// The calendar on any clock, its hours opened, the lanes of an agent, all schedules searched: from the data block alone.
// Instants are seconds since 1970; in the data block they are counted from `begin`, but for next runs and collisions.
(() => {
  const block = document.getElementById("calendar-data");
  if (!block) return;
  const data = JSON.parse(block.textContent);
  const [QUARTER, HOUR, DAY] = [900, 3600, 86400];
  const [STEPS, CHANGE_STEPS, SHOWN] = [64, 32, 200];
  const DRAWN = ["svg", "rect", "path", "line"];
  const [WEEKDAYS, MONTHS] = ["Sun Mon Tue Wed Thu Fri Sat", "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"].map((names) => names.split(" "));
  const end = data.begin + data.starts[0].length * QUARTER;
  const $ = (id) => document.getElementById(id);
  const number = (value) => value.toLocaleString("en");
  const count = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
  const two = (value) => String(value).padStart(2, "0");

  const fragment = (address) => encodeURI(address).replace(/[?#[\]]/g, encodeURIComponent);
  const schedules = data.schedules.map(([address, agent, shown, before, rhythm, clock, seconds, next, tags, page], at) => ({
    at, address, agent, shown, before, rhythm: data.rhythms[rhythm], clock: data.clocks[clock], seconds, next,
    tags: data.tags[tags].split(" ").filter(Boolean), href: `${data.pages[page]}#${fragment(address)}`,
  }));

  const make = (tag, attributes = {}, ...children) => {
    const one = DRAWN.includes(tag) ? document.createElementNS(document.querySelector("svg").namespaceURI, tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) if (value !== undefined) one.setAttribute(name, value);
    one.append(...children.filter((child) => child !== undefined && child !== ""));
    return one;
  };
  const linked = (schedule) => make("a", { href: schedule.href }, make("code", {}, schedule.address));

  // --- clocks ---------------------------------------------------------------------------------------------------------

  const clockOf = (zone) => {
    const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
    const measured = (instant) => {
      const part = Object.fromEntries(format.formatToParts(instant * 1000).map(({ type, value }) => [type, Number(value)]));
      return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) / 1000 - instant;
    };
    const days = new Map();
    // No zone changes its clock twice in a day, and all do at a full quarter of an hour.
    const offset = (instant) => {
      const day = Math.floor(instant / DAY);
      if (!days.has(day)) {
        const [first, last] = [measured(day * DAY), measured((day + 1) * DAY)];
        days.set(day, first === last ? first : null);
      }
      return days.get(day) ?? measured(Math.floor(instant / QUARTER) * QUARTER);
    };
    const local = (instant) => {
      const wall = instant + offset(instant);
      const day = Math.floor(wall / DAY);
      return { day, hour: Math.floor((wall - day * DAY) / HOUR), second: wall - day * DAY };
    };
    return { zone, offset, local };
  };

  const dayText = (day) => {
    const date = new Date(day * DAY * 1000);
    return `${WEEKDAYS[date.getUTCDay()]} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  };
  const isoDay = (day) => new Date(day * DAY * 1000).toISOString().slice(0, 10);
  const timeText = (second, always) => `${two(Math.floor(second / HOUR))}:${two(Math.floor(second / 60) % 60)}${always || second % 60 ? `:${two(second % 60)}` : ""}`;
  const momentText = (instant) => { const { day, second } = clock.local(instant); return `${dayText(day)} ${timeText(second)}`; };
  const offsetText = (seconds) => `UTC${seconds < 0 ? "\u2212" : "+"}${timeText(Math.abs(seconds))}`;
  const lengthText = (seconds) => {
    if (!seconds) return "";
    if (seconds < 90) return `${seconds}s`;
    const minutes = Math.round(seconds / 60);
    return minutes < 90 ? `${minutes}m` : `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
  };

  // --- starts ---------------------------------------------------------------------------------------------------------

  const has = (bits, at) => ((parseInt(bits[bits.length - 1 - (at >> 2)] || "0", 16) >> (at & 3)) & 1) === 1;
  const startsIn = (pattern, from, to) => {
    const found = [];
    if (pattern < 0) return found;
    const [low, high] = [Math.max(from - data.begin, 0), Math.min(to, end) - data.begin];
    const starts = data.patterns[pattern];
    if (typeof starts[0] === "number") {
      const [first, step, many] = starts;
      for (let at = Math.max(0, Math.ceil((low - first) / step)); at < many && first + at * step < high; at += 1) found.push(data.begin + first + at * step);
      return found;
    }
    for (let hour = Math.floor(low / HOUR); hour * HOUR < high; hour += 1) {
      for (const [days, hours, template] of starts) {
        if (!has(days, Math.floor(hour / 24)) || !has(hours, hour % 24)) continue;
        const runs = data.templates[template];
        for (let at = 0; at < runs.length; at += 3) {
          for (let each = 0; each < runs[at + 2]; each += 1) {
            const start = hour * HOUR + runs[at] + each * runs[at + 1];
            if (start >= low && start < high) found.push(data.begin + start);
          }
        }
      }
    }
    return found.sort((one, other) => one - other);
  };
  const ones = (bits) => [...bits].reduce((sum, digit) => sum + parseInt(digit, 16).toString(2).replaceAll("0", "").length, 0);
  const totalOf = (pattern) => {
    const starts = pattern < 0 ? [] : data.patterns[pattern];
    if (typeof starts[0] === "number") return starts[2];
    const size = (template) => data.templates[template].reduce((sum, value, at) => sum + (at % 3 === 2 ? value : 0), 0);
    return starts.reduce((sum, [days, hours, template]) => sum + ones(days) * ones(hours) * size(template), 0);
  };

  // --- maps -----------------------------------------------------------------------------------------------------------

  const maps = [...document.querySelectorAll(".hours")];
  const own = clockOf(data.zone);
  let clock = own;
  let view = "starts";
  let grid = [];

  // Days with 24 hours: from when to when each is, how long it lasts, and for both sides its starts and run seconds.
  const gridOf = (on) => {
    const days = new Map();
    for (let quarter = 0; quarter * QUARTER + data.begin < end; quarter += 1) {
      const instant = data.begin + quarter * QUARTER;
      const { day, hour } = on.local(instant);
      if (!days.has(day)) days.set(day, Array.from({ length: 24 }, () => ({ seconds: 0, starts: [0, 0], busy: [0, 0] })));
      const cell = days.get(day)[hour];
      cell.begin ??= instant;
      cell.end = instant + QUARTER;
      cell.seconds += QUARTER;
      data.starts.forEach((starts, side) => { cell.starts[side] += starts[quarter]; cell.busy[side] += data.busy[side][quarter] || 0; });
    }
    const found = [...days].map(([day, hours]) => ({ day, hours }));
    // What is not there at either end of the window is outside of it; what is not there in between was skipped.
    const outside = (hours) => { for (const cell of hours) { if (cell.seconds) break; cell.outside = true; } };
    outside(found[0].hours);
    outside([...found.at(-1).hours].reverse());
    return found;
  };

  const valueOf = (cell, side) => (view === "load" ? cell.busy[side] / cell.seconds : (cell.starts[side] * HOUR) / cell.seconds);
  const mapSides = { shown: 0, before: 1 };
  const shade = (value, most, steps) => (value && most ? Math.min(steps, Math.max(1, Math.floor((steps * Math.abs(value)) / most + 0.5))) : 0);
  const short = (value) => (value < 10000 ? String(value) : `${Math.floor(value / 1000)}k`);
  const signed = (text, value) => (value ? (value > 0 ? "+" : "\u2212") + text : "");

  const changeOf = (cell) => (view === "load" ? (cell.busy[0] - cell.busy[1]) / cell.seconds : cell.starts[0] - cell.starts[1]);
  const scales = () => {
    const cells = grid.flatMap(({ hours }) => hours).filter((cell) => cell.seconds);
    const most = Math.max(0, ...cells.flatMap((cell) => data.starts.map((_, side) => valueOf(cell, side))));
    const change = Math.max(0, ...cells.map((cell) => Math.abs(changeOf(cell))));
    return { most, change, digits: most >= 1 ? 1 : 2 };
  };
  const figure = (value, digits) => (view === "load" ? (Number(value.toFixed(digits)) ? value.toFixed(digits) : "") : value ? short(value) : "");

  const cellOf = (cell, side, scale, isNow) => {
    if (!cell.seconds) return make("div", { role: "gridcell", class: cell.outside ? "outside" : "skipped" });
    let [style, text] = ["s0", ""];
    if (side === "change") {
      const change = changeOf(cell);
      text = signed(figure(Math.abs(change), scale.digits), change);
      if (change && text.length > 1) style = `${change > 0 ? "more" : "less"}${shade(change, scale.change, CHANGE_STEPS)}`;
      else text = "";
    } else {
      style = `s${shade(valueOf(cell, mapSides[side]), scale.most, STEPS)}`;
      text = figure(view === "load" ? valueOf(cell, mapSides[side]) : cell.starts[mapSides[side]], scale.digits);
    }
    return make("div", { role: "gridcell", class: style + (cell.seconds > HOUR ? " twice" : "") + (isNow ? " now" : "") }, text);
  };

  const draw = () => {
    grid = gridOf(clock);
    const scale = scales();
    const now = clock.local(data.asOf);
    for (const map of maps) {
      const { side } = map.dataset;
      const rows = grid.map(({ day, hours }, at) => {
        const date = new Date(day * DAY * 1000);
        const head = make("div", { role: "rowheader", class: `d${date.getUTCDay() % 6 ? "" : " we"}` }, make("b", {}, String(date.getUTCDate())), make("span", {}, WEEKDAYS[date.getUTCDay()]));
        if (!at || date.getUTCDate() === 1) head.append(make("small", {}, MONTHS[date.getUTCMonth()]));
        const total = hours.reduce((sum, cell) => sum + (side === "change" ? cell.starts[0] - cell.starts[1] : cell.starts[mapSides[side]]), 0);
        const all = side === "change" ? signed(short(Math.abs(total)), total) : number(total);
        const cells = hours.map((cell, hour) => cellOf(cell, side, scale, now.day === day && now.hour === hour));
        return make("div", { role: "row" }, head, ...cells, make("div", { role: "gridcell", class: "t" }, view === "load" ? "" : all));
      });
      map.replaceChildren(map.firstElementChild, ...rows);
    }
    drawKeys(scale);
    for (const map of maps) settle(map);
  };

  const drawKeys = ({ most, change }) => {
    const unit = view === "load" ? "runs at a time" : "starts an hour";
    const amount = (value) => (view === "load" ? value.toFixed(most >= 1 ? 1 : 2) : number(Math.round(value)));
    const half = (value) => (view === "load" || value > 9 || value % 2 === 0 ? amount(value / 2) : (value / 2).toFixed(1));
    const texts = [["0", half(most), amount(most), unit], [`\u2212${amount(change)}`, "0", `+${amount(change)}`, "by the plan: fewer and more"]];
    [...$("keys").children].forEach((key, at) => {
      [...key.querySelector(".ends").children].forEach((part, each) => { part.textContent = texts[at][each]; });
      key.querySelector(".unit").textContent = texts[at][3];
    });
  };

  // --- one hour opened ------------------------------------------------------------------------------------------------

  const opened = $("opened");
  let openedCell = null;
  const cellsOf = (map) => [...map.children].slice(1).map((row) => [...row.children].slice(1, 25));
  const place = (element) => {
    const map = element.closest(".hours");
    const row = element.parentElement;
    return { map, row: [...map.children].indexOf(row) - 1, column: [...row.children].indexOf(element) - 1 };
  };
  const isHour = (element) => element?.matches?.('.hours [role="gridcell"]:not(.t, .skipped, .outside)');
  // One cell of each map takes the keyboard: the one that was there last, else now, else the first.
  const settle = (map, chosen) => {
    for (const cell of map.querySelectorAll("[tabindex]")) cell.removeAttribute("tabindex");
    const hour = '[role="gridcell"]:not(.t, .skipped, .outside)';
    (chosen || map.querySelector(`${hour}.now`) || map.querySelector(hour))?.setAttribute("tabindex", "0");
  };

  const timesText = (starts, withOffset) => {
    const step = starts.length > 3 && starts[1] - starts[0];
    const text = (start) => timeText(clock.local(start).second, starts.some((each) => each % 60)) + (withOffset ? ` (${offsetText(clock.offset(start))})` : "");
    if (step && starts.every((start, at) => !at || start - starts[at - 1] === step)) return `${text(starts[0])}, then every ${lengthText(step)}`;
    return starts.slice(0, 6).map(text).join(", ") + (starts.length > 6 ? ` and ${number(starts.length - 6)} more` : "");
  };
  const named = (found) => {
    const rest = found.slice(SHOWN);
    const all = make("dd", {}, ...found.slice(0, SHOWN).flatMap((schedule) => [linked(schedule), " "]));
    if (rest.length) {
      const more = make("button", { type: "button", class: "quiet" }, `and ${number(rest.length)} more`);
      more.addEventListener("click", () => more.replaceWith(...rest.flatMap((schedule) => [linked(schedule), " "])));
      all.append(more);
    }
    return all;
  };
  // Schedules that start at the same times stand together, the earliest first.
  const listOf = (cell, startsOf, textOf) => {
    const groups = new Map();
    for (const schedule of schedules) {
      const starts = startsOf(schedule);
      if (!starts) continue;
      const key = starts.map((side) => side.join()).join("|");
      if (!groups.has(key)) groups.set(key, { starts, found: [] });
      groups.get(key).found.push(schedule);
    }
    const first = ({ starts }) => Math.min(...starts.flatMap((side) => side.slice(0, 1)));
    const order = [...groups.values()].sort((one, other) => first(one) - first(other) || other.found.length - one.found.length);
    const entries = order.slice(0, SHOWN).map(({ starts, found }) => make("div", { class: found.length > 3 ? "wide" : starts.length > 1 ? "moved" : undefined }, make("dt", {}, ...textOf(starts, found.length)), named(found)));
    if (order.length > SHOWN) entries.push(make("div", {}, make("dt", {}, "Later"), make("dd", {}, `at ${number(order.length - SHOWN)} more times`)));
    return make("dl", {}, ...entries);
  };

  const open = (element, { focus = true } = {}) => {
    const { map, row, column } = place(element);
    const { day, hours } = grid[row];
    const cell = hours[column];
    const side = map.dataset.side;
    const repeated = cell.seconds > HOUR;
    const starts = (which) => (schedule) => { const found = startsIn(schedule[which], cell.begin, cell.end); return found.length ? [found] : null; };
    const several = (many, found) => make("small", {}, [found > 1 ? count(found, "schedule") : "", many > 1 ? `${count(many, "start")}${found > 1 ? " each" : ""}` : ""].filter(Boolean).join(", "));
    let list;
    if (side === "change") {
      const both = (schedule) => {
        const [then, now] = ["before", "shown"].map((which) => startsIn(schedule[which], cell.begin, cell.end));
        return then.join() === now.join() ? null : [then, now];
      };
      list = listOf(cell, both, ([then, now], found) => {
        const change = now.length - then.length;
        return [`${signed(number(Math.abs(change)), change) || "moved"}  ${timesText(then, repeated) || "none"} → ${timesText(now, repeated) || "none"}`, several(1, found)];
      });
    } else list = listOf(cell, starts(side), ([found], many) => [timesText(found, repeated), several(found.length, many)]);
    const total = side === "change" ? cell.starts[0] - cell.starts[1] : cell.starts[mapSides[side]];
    const told = side === "change" ? `${signed(count(Math.abs(total), "start"), total) || "no more and no fewer starts"} by the plan` : count(total, "start");
    const titles = { before: "before the plan, ", shown: maps.length > 1 ? "after the plan, " : "", change: "" };
    const close = make("button", { type: "button", class: "quiet close", "aria-label": "Close" }, "✕");
    close.addEventListener("click", shut);
    opened.replaceChildren(make("h2", { id: "opened-title" }, `${dayText(day)} ${two(column)}:00, ${titles[side]}${told}`), close, list.children.length ? list : make("p", { class: "none" }, "Nothing starts then."));
    opened.hidden = false;
    for (const one of document.querySelectorAll('.hours [aria-selected="true"]')) one.removeAttribute("aria-selected");
    element.setAttribute("aria-selected", "true");
    settle(map, element);
    openedCell = { side, day, hour: column };
    keep(`#${side === "shown" ? "" : `${side}/`}${isoDay(day)}T${two(column)}${clock === own ? "" : `@${clock.zone}`}`);
    if (focus) opened.focus({ preventScroll: true });
    opened.scrollTop = 0;
    // The panel stays in sight at the lower edge of the window: the hour that it tells of shall be seen above it.
    const covered = element.getBoundingClientRect().bottom + 12 - opened.getBoundingClientRect().top;
    if (covered > 0) scrollBy(0, covered);
  };
  const shut = () => {
    if (opened.hidden) return;
    opened.hidden = true;
    const element = document.querySelector('.hours [aria-selected="true"]');
    element?.removeAttribute("aria-selected");
    openedCell = null;
    keep(location.pathname + location.search);
    element?.focus();
  };
  const keep = (link) => { try { history.replaceState(null, "", link); } catch { /* not from every file */ } };
  const openAt = (side, day, hour) => {
    const map = maps.find((one) => one.dataset.side === side);
    const row = grid.findIndex((one) => one.day === day);
    const element = map && row >= 0 && cellsOf(map)[row][hour];
    if (isHour(element)) open(element);
    return isHour(element);
  };

  for (const map of maps) {
    map.addEventListener("click", (event) => { if (isHour(event.target)) open(event.target, { focus: false }); });
    map.addEventListener("keydown", (event) => {
      if (!isHour(event.target)) return;
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(event.target); return; }
      const { row, column } = place(event.target);
      // Where there is little room the days stand beside each other: arrows go where they point.
      const turned = getComputedStyle(map).gridAutoFlow.includes("column");
      const [days, hours] = turned ? [["ArrowLeft", "ArrowRight"], ["ArrowUp", "ArrowDown"]] : [["ArrowUp", "ArrowDown"], ["ArrowLeft", "ArrowRight"]];
      let [toRow, toColumn, by] = [row, column, [days.indexOf(event.key), hours.indexOf(event.key)].map((at) => (at < 0 ? 0 : 2 * at - 1))];
      if (event.key === "Home") [toColumn, by] = [-1, [0, 1]];
      if (event.key === "End") [toColumn, by] = [24, [0, -1]];
      if (!by[0] && !by[1]) return;
      event.preventDefault();
      const cells = cellsOf(map);
      do { toRow += by[0]; toColumn += by[1]; } while (cells[toRow]?.[toColumn] && !isHour(cells[toRow][toColumn]));
      const next = cells[toRow]?.[toColumn];
      if (next) { settle(map, next); next.focus(); }
    });
    // What a cell says is put together when somebody asks: ten thousand titles would weigh more than all else.
    map.addEventListener("pointerover", (event) => {
      if (!isHour(event.target) || event.target.title) return;
      const { row, column } = place(event.target);
      const cell = grid[row].hours[column];
      const [now, then] = cell.starts;
      const load = data.busy[0].length ? `, ${(cell.busy[0] / cell.seconds).toFixed(2)} runs at a time` : "";
      event.target.title = `${dayText(grid[row].day)} ${two(column)}:00: ${maps.length > 1 ? `${number(then)} → ` : ""}${count(now, "start")}${load}${cell.seconds > HOUR ? "; this hour comes twice" : ""}`;
    });
  }

  // --- lanes of an agent ----------------------------------------------------------------------------------------------

  const agents = data.agents.map((path, at) => ({ at, path, members: [] }));
  for (const schedule of schedules) if (schedule.shown >= 0) agents[schedule.agent].members.push(schedule);
  const [laneAgent, laneRows] = [$("lane-agent"), $("lane-rows")];
  const collided = new Map();
  for (const [agent, first] of data.collisions) if (agent >= 0 && !collided.has(agent)) collided.set(agent, first);
  const [WIDE, NARROWEST, LANES, RUNS] = [1440, 3, 60, 40000];
  let laneDay = null;

  const boundsOf = (day) => {
    const cells = grid.find((one) => one.day === day).hours.filter((cell) => cell.seconds);
    return [cells[0].begin, cells.at(-1).end];
  };
  // Where at least two runs overlap; a run of unknown length is taken for its first second, as everywhere.
  const clashesOf = (lanes) => {
    const events = lanes.flatMap((lane) => lane.runs.flatMap(([from, to]) => [[from, 1, lane], [to, -1, lane]]));
    events.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
    const found = [];
    const running = new Map();
    let level = 0;
    for (const [at, by, lane] of events) {
      if (by > 0) running.set(lane, (running.get(lane) || 0) + 1);
      level += by;
      if (by > 0 && level === 2) found.push({ from: at, to: at, members: new Set(running.keys()) });
      else if (by > 0 && level > 2) found.at(-1).members.add(lane);
      if (by < 0) {
        if (running.get(lane) === 1) running.delete(lane); else running.set(lane, running.get(lane) - 1);
        if (level === 1) found.at(-1).to = at;
      }
    }
    return found;
  };

  const drawLanes = (limit = LANES) => {
    const agent = agents[laneAgent.value];
    if (!agent || laneDay === null) return;
    const [from, to] = boundsOf(laneDay);
    const at = (instant) => ((instant - from) / (to - from)) * WIDE;
    const bar = (start, stop, style, y, height) => {
      const width = Math.max(at(stop) - at(start), NARROWEST);
      return make("rect", { class: style, x: Math.min(at(start), WIDE - NARROWEST).toFixed(1), width: width.toFixed(1), y, height });
    };
    // An agent may have more runs in a day than anybody can see, or a browser can hold against each other in time.
    let many = 0;
    const lanes = [];
    for (const schedule of agent.members) {
      if (many > RUNS) break;
      const runs = startsIn(schedule.shown, from - schedule.seconds, to).map((start) => [start, start + (schedule.seconds || 1)]).filter(([, stop]) => stop > from);
      many += runs.length;
      lanes.push({ schedule, runs });
    }
    const left = agent.members.length - lanes.length;
    const clashes = clashesOf(lanes).map((one) => ({ ...one, from: Math.max(one.from, from), to: Math.min(one.to, to) })).filter((one) => one.to > from && one.from < to);
    const inClash = new Set(clashes.flatMap((one) => [...one.members]));
    const order = [...lanes].sort((one, other) => inClash.has(other) - inClash.has(one) || (one.runs[0]?.[0] ?? Infinity) - (other.runs[0]?.[0] ?? Infinity));
    // What would lie on one point of the screen is drawn once.
    const drawn = (spans) => {
      const kept = [];
      for (const [start, stop, ...more] of spans) {
        const last = kept.at(-1);
        if (last && at(start) - at(last[1]) < 0.5 && at(start) - at(last[0]) < NARROWEST) last[1] = Math.max(last[1], stop);
        else kept.push([start, stop, ...more]);
      }
      return kept;
    };
    const bands = drawn(clashes.map((one) => [one.from, one.to]));
    const hours = Math.ceil((to - from) / HOUR);
    const axis = make("div", { class: "axis", "aria-hidden": "true" }, ...Array.from({ length: hours }, (_, hour) => make("span", {}, two(clock.local(from + hour * HOUR).hour))));
    axis.style.gridTemplateColumns = Array.from({ length: hours }, (_, hour) => `minmax(0, ${Math.min(HOUR, to - from - hour * HOUR)}fr)`).join(" ");
    const rows = order.slice(0, limit).flatMap((lane) => {
      const { schedule, runs } = lane;
      const shown = drawn(runs.map(([start, stop]) => [Math.max(start, from), Math.min(stop, to)]));
      const inside = clashes.filter((one) => one.members.has(lane));
      const hit = drawn(inside.flatMap((one) => runs.filter(([start, stop]) => start < one.to && stop > one.from).map(([start, stop]) => [Math.max(start, one.from), Math.min(stop, one.to)])).sort((one, other) => one[0] - other[0]));
      const takes = schedule.seconds ? `${lengthText(schedule.seconds)} each` : "how long they take is not known";
      const strip = make("svg", { class: "lane", viewBox: `0 0 ${WIDE} 40`, preserveAspectRatio: "none", "aria-hidden": "true" },
        ...bands.map(([start, stop]) => bar(start, stop, "band", 0, 40)),
        make("line", { class: "line", x1: 0, x2: WIDE, y1: 20, y2: 20 }),
        ...shown.map(([start, stop]) => (schedule.seconds ? bar(start, stop, "run", 11, 18) : make("line", { class: "tick", x1: at(start).toFixed(1), x2: at(start).toFixed(1), y1: 8, y2: 32 }))),
        ...hit.map(([start, stop]) => bar(start, stop, "clash", 5, 30)));
      return [make("div", { class: "who" }, linked(schedule), make("small", {}, runs.length ? `${count(runs.length, "run")}, ${takes}` : "no run on this day")), strip];
    });
    const groups = new Map();
    for (const one of clashes) {
      const names = [...one.members].map(({ schedule }) => schedule.address).sort();
      const group = names.join("\n");
      if (!groups.has(group)) groups.set(group, { names, times: [] });
      groups.get(group).times.push(one);
    }
    const spanText = ({ from: start, to: stop }) => timeText(clock.local(start).second) + (stop - start > 1 ? ` to ${timeText(clock.local(stop).second)}` : "");
    const told = [...groups.values()].slice(0, 8).map(({ names, times }) => make("li", {},
      make("b", {}, times.slice(0, 3).map(spanText).join(", ")), times.length > 3 ? ` and ${number(times.length - 3)} more times: ` : ": ",
      ...names.slice(0, 6).flatMap((name) => [make("code", {}, name), " "]), names.length > 6 ? `and ${number(names.length - 6)} more` : names.length === 1 ? "overlaps its own next run" : ""));
    if (groups.size > 8) told.push(make("li", { class: "none" }, `and ${number(groups.size - 8)} more`));
    const more = make("button", { type: "button", class: "quiet" }, `and ${count(order.length - limit, "schedule")} more`);
    more.addEventListener("click", () => drawLanes(Infinity));
    const key = make("p", { class: "lane-key" }, make("span", {}, make("i"), "a run"), make("span", {}, make("i", { class: "tick" }), "a start; its length is not known"), make("span", {}, make("i", { class: "clash" }), "in the way of another run"));
    laneRows.replaceChildren(make("div", { class: "lane-grid" }, make("div", { class: "corner" }), axis, ...rows),
      ...(order.length > limit ? [more] : []), ...(left ? [make("p", { class: "none" }, `and ${count(left, "schedule")} more, which are left out: the others run ${number(many)} times on this day`)] : []),
      key, told.length ? make("ul", { class: "clashes" }, ...told) : make("p", { class: "none" }, "No runs of this agent overlap on this day."));
    $("lane-day").textContent = dayText(laneDay);
    const days = grid.map(({ day }) => day);
    $("lane-before").disabled = laneDay === days[0];
    $("lane-after").disabled = laneDay === days.at(-1);
  };
  const showLanes = (agent, instant) => {
    if (!collided.has(agent)) fillAgents();
    laneAgent.value = String(agent);
    const { day } = clock.local(instant ?? data.begin);
    laneDay = grid.some((one) => one.day === day) ? day : grid[0].day;
    drawLanes();
  };
  // Thousands of agents are put into the list when somebody opens it.
  let isFilled = false;
  const option = (agent) => make("option", { value: agent.at }, agent.path);
  const inWay = agents.filter(({ at }) => collided.has(at));
  const fillAgents = () => {
    if (isFilled) return;
    isFilled = true;
    const others = agents.filter(({ at, members }) => !collided.has(at) && members.length);
    if (others.length) laneAgent.append(make("optgroup", { label: inWay.length ? "without collisions" : "agents" }, ...others.map(option)));
  };
  if (inWay.length) laneAgent.append(make("optgroup", { label: "with collisions" }, ...inWay.map(option)));
  else fillAgents();
  for (const event of ["pointerdown", "focus"]) laneAgent.addEventListener(event, fillAgents);
  laneAgent.addEventListener("change", () => { const agent = Number(laneAgent.value); showLanes(agent, collided.get(agent)); keep(laneLink(agent)); });
  const walk = (by) => {
    const at = grid.findIndex(({ day }) => day === laneDay) + by;
    if (!grid[at]) return;
    laneDay = grid[at].day;
    drawLanes();
    keep(laneLink(Number(laneAgent.value)));
  };
  $("lane-before").addEventListener("click", () => walk(-1));
  $("lane-after").addEventListener("click", () => walk(1));
  const laneLink = (agent) => `#lanes/${isoDay(laneDay)}/${fragment(agents[agent].path)}`;

  // --- all schedules --------------------------------------------------------------------------------------------------

  const body = $("rows");
  const find = $("find");
  const listed = body ? [...body.rows] : []; // the rows of the first schedules, in their order
  let words = null;

  const hoursOf = (pattern) => {
    const starts = pattern < 0 ? [] : data.patterns[pattern];
    const found = new Set();
    const add = (instant) => found.add(clock.local(instant).hour);
    if (typeof starts[0] === "number") {
      const [first, step, many] = starts;
      for (let at = 0; at < many && found.size < 24; at += step < QUARTER ? Math.floor(QUARTER / step) : 1) add(data.begin + first + at * step);
    } else {
      for (const [days, hours, template] of starts) {
        for (let day = 0; day < days.length * 4; day += 1) {
          if (!has(days, day)) continue;
          for (let hour = 0; hour < 24; hour += 1) {
            const runs = data.templates[template];
            if (has(hours, hour)) for (let at = 0; at < runs.length; at += 3) for (const each of [0, runs[at + 2] - 1]) add(data.begin + day * DAY + hour * HOUR + runs[at] + each * runs[at + 1]);
          }
        }
      }
    }
    return [...found].sort((one, other) => one - other);
  };
  const drawHours = (picture, schedule) => {
    const hours = hoursOf(schedule.shown);
    picture.setAttribute("aria-label", `Hours: ${hours.length === 24 ? "all" : hours.map(two).join(", ") || "none"}`);
    picture.lastElementChild.setAttribute("d", hours.map((hour) => `M${6 * hour}.5 0h5v16h-5z`).join(""));
  };
  const rowOf = (schedule) => {
    const isGone = schedule.tags.includes("gone");
    const picture = make("svg", { viewBox: "0 0 144 16", role: "img" }, make("rect", { width: 144, height: 16, rx: 3 }), make("path"));
    drawHours(picture, schedule);
    const cells = [
      [...schedule.tags.flatMap((tag) => [make("span", { class: `pill ${tag}` }, tag), " "]), linked(schedule), make("small", {}, data.agents[schedule.agent])],
      [schedule.rhythm[0].toUpperCase() + schedule.rhythm.slice(1), make("small", {}, schedule.clock)],
      isGone ? [] : [picture],
      schedule.next ? [make("time", { "data-at": schedule.next }, momentText(schedule.next))] : [],
      [lengthText(schedule.seconds)],
      [number(totalOf(schedule.shown))],
    ].map((content, at) => make("td", { class: ["", "", "", "m", "n", "n"][at] || undefined }, ...content));
    return make("tr", { id: schedule.address, class: isGone || schedule.shown < 0 ? "off" : undefined }, ...cells);
  };
  const filter = () => {
    const asked = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    words ??= schedules.map((one) => `${one.address} ${data.agents[one.agent]} ${one.rhythm} ${one.clock} ${one.tags.join(" ")}`.toLowerCase());
    const fits = words.map((text) => asked.every((word) => text.includes(word)));
    listed.forEach((row, at) => { row.hidden = !fits[at]; });
    for (const row of [...body.rows].slice(listed.length)) row.remove();
    const seen = fits.filter(Boolean).length;
    if (asked.length) body.append(...schedules.slice(listed.length).filter(({ at }) => fits[at]).slice(0, SHOWN).map(rowOf));
    $("told").textContent = asked.length ? `${number(seen)} of ${number(schedules.length)}` : "";
    $("unlisted")?.toggleAttribute("hidden", asked.length > 0);
  };
  if (find) {
    $("finder").hidden = false;
    find.addEventListener("input", filter);
    const all = $("list-all");
    if (all) {
      all.hidden = false;
      all.addEventListener("click", () => {
        const rows = schedules.slice(listed.length).map(rowOf);
        body.append(...rows);
        listed.push(...rows);
        all.parentElement.remove();
      });
    }
    addEventListener("reveal", (event) => { if (event.target.closest("[hidden]")) { find.value = ""; filter(); } });
  }

  // --- clocks to choose, keys, links ----------------------------------------------------------------------------------

  const setClock = (zone) => {
    const was = openedCell && grid.find(({ day }) => day === openedCell.day).hours[openedCell.hour].begin;
    const [side, lane] = [openedCell?.side, laneDay !== null && boundsOf(laneDay)[0]];
    clock = zone;
    draw();
    $("zone-name").textContent = zone.zone;
    $("zone-reason").hidden = zone !== own;
    for (const note of document.querySelectorAll(".fixed")) note.hidden = zone === own;
    for (const time of document.querySelectorAll("time[data-at]")) time.textContent = momentText(Number(time.dataset.at));
    [...document.querySelectorAll("#rows tr")].forEach((row) => {
      const picture = row.querySelector("svg");
      const schedule = byAddress.get(row.id);
      if (picture && schedule) drawHours(picture, schedule);
    });
    if (was !== null) { const { day, hour } = clock.local(was); openAt(side, day, hour); }
    if (lane !== false) showLanes(Number(laneAgent.value), lane + HOUR * 12);
  };
  const byAddress = new Map(schedules.map((schedule) => [schedule.address, schedule]));

  const readers = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = new Map();
  // Several names of one clock are one choice.
  const isUtc = (zone) => /^(Etc\/)?(UTC|UCT|Universal|Zulu)$/.test(zone);
  const offered = (zone) => zones.get(zone) || (isUtc(zone) && [...zones].find(([each]) => isUtc(each))?.[1]);
  for (const [zone, name] of [[data.zone, data.zone], ["UTC", "UTC"], [readers, `yours, ${readers}`], ...data.zones.map((each) => [each, each])]) {
    if (!zone || offered(zone)) continue;
    try { zones.set(zone, { name, clock: zone === data.zone ? own : clockOf(zone) }); } catch { /* a zone that this browser does not know */ }
  }
  const boxes = new Map();
  for (const [zone, { name, clock: one }] of zones) {
    const box = make("input", { type: "radio", name: "zone", value: zone });
    box.checked = one === own;
    box.addEventListener("change", () => setClock(one));
    boxes.set(zone, box);
    $("zones").append(make("label", {}, box, name));
  }
  for (const box of document.querySelectorAll('input[name="view"]')) {
    box.addEventListener("change", () => { view = box.value; const was = openedCell; draw(); if (was) openAt(was.side, was.day, was.hour); });
  }

  const follow = () => {
    let link = location.hash.slice(1);
    try { link = decodeURIComponent(link); } catch { /* as it is written */ }
    const hour = /^(?:(before|change)\/)?(\d{4}-\d\d-\d\d)T(\d\d)(?:@(.+))?$/.exec(link);
    const lane = /^lanes\/(\d{4}-\d\d-\d\d)\/(.*)$/s.exec(link);
    const dayOf = (text) => Date.parse(`${text}T00:00:00Z`) / 1000 / DAY;
    if (hour) {
      const zone = offered(hour[4] || data.zone);
      if (!zone) return; // the hour of a clock that is not offered here
      if (zone.clock !== clock) { boxes.get(zone.clock.zone).checked = true; setClock(zone.clock); }
      openAt(hour[1] || "shown", dayOf(hour[2]), Number(hour[3]));
    } else if (lane) {
      const agent = data.agents.indexOf(lane[2]);
      if (agent < 0) return;
      showLanes(agent, collided.get(agent));
      if (grid.some(({ day }) => day === dayOf(lane[1]))) { laneDay = dayOf(lane[1]); drawLanes(); }
      $("lanes").scrollIntoView({ block: "start" });
    } else if (byAddress.has(link) && !document.getElementById(link)) {
      find.value = link;
      filter();
      document.getElementById(link)?.scrollIntoView({ block: "center" });
    }
  };

  grid = gridOf(own);
  document.documentElement.classList.add("scripted");
  $("choices").hidden = false;
  for (const map of maps) settle(map);
  if (agents.some(({ members }) => members.length)) {
    $("lanes").hidden = false;
    const first = inWay[0] || agents.find(({ members }) => members.length);
    laneAgent.value = String(first.at);
    showLanes(first.at, collided.get(first.at));
  }
  for (const link of document.querySelectorAll(".to-lane")) {
    const agent = data.agents.indexOf(link.dataset.agent);
    const { day } = own.local(Number(link.dataset.first));
    link.hidden = agent < 0;
    if (agent >= 0) link.href = `#lanes/${isoDay(day)}/${fragment(data.agents[agent])}`;
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target !== find && !(event.ctrlKey || event.metaKey || event.altKey)) shut();
  });
  addEventListener("hashchange", follow);
  follow();
})();

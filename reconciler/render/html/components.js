// Search and filter over all `.entry`: by the words typed, and by the tiles pressed, which name one of `data-word`.
// Within groups (`.group`) an entry is found by what these say of all, too: their `.shared`.
(() => {
  const $ = (id) => document.getElementById(id);
  const toolbar = $("toolbar");
  if (!toolbar) return;
  toolbar.hidden = false;
  const search = $("search");
  const shown = $("shown");
  const within = (one, selector) => Array.from(one.querySelectorAll(selector));
  const all = (selector) => within(document, selector);
  const entries = all(".entry");
  const groups = all(".group");
  const sections = all("section.list");
  const steps = all("section.list > details");
  const tiles = all("button.tile");
  const words = entries.map((entry) => (entry.dataset.word || "").split(" "));
  const chains = new Map();
  const chainOf = (one) => {
    if (!one) return [];
    if (!chains.has(one)) {
      const group = one.closest(".group");
      chains.set(one, group ? [group, ...chainOf(group.parentElement)] : []);
    }
    return chains.get(one);
  };
  const owners = entries.map((entry) => chainOf(entry.parentElement));
  let texts = null;
  let asked = 0;
  let unfolded = [];

  const read = () => {
    const said = new Map(groups.map((group) => [group, within(group, ":scope > .shared").map((part) => part.textContent).join(" ")]));
    texts = entries.map((entry, at) => [entry.textContent, ...owners[at].map((group) => said.get(group))].join(" ").toLowerCase());
  };
  const pressed = () => {
    const sets = new Map();
    for (const tile of tiles) {
      if (tile.getAttribute("aria-pressed") !== "true") continue;
      const set = tile.closest(".tiles");
      sets.set(set, [...(sets.get(set) || []), tile.dataset.word]);
    }
    return [...sets.values()];
  };

  const filter = () => {
    asked = 0;
    const terms = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (terms.length && !texts) read();
    const sets = pressed();
    const found = new Set();
    let count = 0;
    entries.forEach((entry, at) => {
      const fits = sets.every((set) => set.some((word) => words[at].includes(word))) && terms.every((term) => texts[at].includes(term));
      if (entry.hidden === fits) entry.hidden = !fits;
      if (!fits) return;
      count += 1;
      for (const group of owners[at]) found.add(group);
    });
    for (const group of groups) group.hidden = !found.has(group);
    for (const one of unfolded) one.open = false;
    // What was searched for shall be seen, also where it is folded away with those alike.
    unfolded = terms.length ? [...found].filter((one) => one.tagName === "DETAILS" && !one.open) : [];
    for (const one of unfolded) one.open = true;
    for (const section of sections) section.hidden = !section.querySelector(".entry:not([hidden])");
    const number = (value) => value.toLocaleString("en");
    shown.textContent = `${count === entries.length ? "" : `${number(count)} of `}${number(entries.length)} ${shown.dataset.noun}`;
    const hash = search.value ? `#q=${encodeURIComponent(search.value)}` : "";
    if (hash !== location.hash && !(hash === "" && !location.hash.startsWith("#q="))) {
      try { history.replaceState(null, "", hash || location.pathname + location.search); } catch { /* not from a file */ }
    }
  };
  const soon = () => { if (!asked) asked = requestAnimationFrame(filter); };

  search.addEventListener("input", soon);
  for (const tile of tiles) {
    tile.addEventListener("click", () => {
      tile.setAttribute("aria-pressed", String(tile.getAttribute("aria-pressed") !== "true"));
      soon();
    });
  }
  const fold = (open) => { for (const one of all("section.list details")) if (!one.closest("[hidden]")) one.open = open; };
  $("unfold")?.addEventListener("click", () => fold(true));
  $("fold")?.addEventListener("click", () => fold(false));
  addEventListener("reveal", (event) => {
    if (!event.target.closest("[hidden]")) return;
    search.value = "";
    for (const tile of tiles) tile.setAttribute("aria-pressed", "false");
    filter();
  });

  const step = (by) => {
    const seen = steps.filter((one) => one.checkVisibility());
    if (!seen.length) return;
    const at = seen.indexOf(document.activeElement?.closest?.("section.list > details"));
    const next = seen[Math.min(Math.max(at + by, 0), seen.length - 1)];
    next.querySelector("summary").focus();
    next.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === search) return;
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  });

  if (location.hash.startsWith("#q=")) {
    try { search.value = decodeURIComponent(location.hash.slice(3)); } catch { /* a broken link searches for nothing */ }
  }
  filter();
})();

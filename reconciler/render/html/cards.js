(() => {
  const $ = (id) => document.getElementById(id);
  const tools = $("tools");
  if (!tools) return;
  tools.hidden = false;
  const search = $("search");
  const shown = $("shown");
  const cards = Array.from(document.querySelectorAll("section.list > details"));
  const sections = Array.from(document.querySelectorAll("section.list"));
  const tiles = Array.from(document.querySelectorAll("button.tile"));
  const words = cards.map((card) => card.className);
  let texts = null;
  let asked = 0;

  const filter = () => {
    asked = 0;
    const terms = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (terms.length && !texts) texts = cards.map((card) => card.textContent.toLowerCase());
    const wanted = new Set(tiles.filter((tile) => tile.getAttribute("aria-pressed") === "true").map((tile) => tile.dataset.word));
    let count = 0;
    cards.forEach((card, at) => {
      const fits = (!wanted.size || wanted.has(words[at])) && terms.every((term) => texts[at].includes(term));
      if (card.hidden === fits) card.hidden = !fits;
      if (fits) count += 1;
    });
    for (const section of sections) section.hidden = !section.querySelector("details:not([hidden])");
    shown.textContent = count === cards.length ? `${count} ${shown.dataset.noun}` : `${count} of ${cards.length} ${shown.dataset.noun}`;
    const hash = search.value ? `#q=${encodeURIComponent(search.value)}` : "";
    if (hash !== location.hash && !(hash === "" && !location.hash.startsWith("#q="))) {
      try { history.replaceState(null, "", hash || location.pathname + location.search); } catch { /* not from a file */ }
    }
  };
  const soon = () => { if (!asked) asked = requestAnimationFrame(filter); };
  const fold = (open) => { for (const card of cards) if (!card.hidden) card.open = open; };

  search.addEventListener("input", soon);
  for (const tile of tiles) {
    tile.addEventListener("click", () => {
      tile.setAttribute("aria-pressed", String(tile.getAttribute("aria-pressed") !== "true"));
      soon();
    });
  }
  $("unfold").addEventListener("click", () => fold(true));
  $("fold").addEventListener("click", () => fold(false));

  const step = (by) => {
    const seen = cards.filter((card) => !card.hidden);
    if (!seen.length) return;
    const at = seen.indexOf(document.activeElement?.closest?.("section.list > details"));
    const next = seen[Math.min(Math.max(at + by, 0), seen.length - 1)];
    next.querySelector("summary").focus();
    next.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target === search;
    if (event.key === "Escape" && typing) { search.value = ""; search.blur(); soon(); }
    if (typing) return;
    if (event.key === "/") { event.preventDefault(); search.focus(); search.select(); }
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  });

  let folded = [];
  addEventListener("beforeprint", () => {
    folded = cards.filter((card) => !card.hidden && !card.open);
    for (const card of folded) card.open = true;
  });
  addEventListener("afterprint", () => { for (const card of folded) card.open = false; });

  if (location.hash.startsWith("#q=")) {
    try { search.value = decodeURIComponent(location.hash.slice(3)); } catch { /* a broken link searches for nothing */ }
  }
  filter();
})();

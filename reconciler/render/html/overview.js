// The list of all resources: what is shown stands behind the `#` of the address, so that a view can be shared.
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  form.hidden = false;
  const rows = Array.from(document.getElementById("rows").children);
  const told = document.getElementById("told");
  const none = document.getElementById("none");
  const fields = Array.from(form.elements).filter((one) => one.name);
  const cells = Array.from(document.querySelectorAll(".matrix a"));
  let known = null;
  let asked = 0;

  const read = () => rows.map((row) => {
    const address = row.firstElementChild.textContent;
    const labels = Array.from(row.querySelectorAll(".labels i"), (one) => one.textContent);
    return {
      facets: new Set(row.dataset.f.split("|")),
      kind: address.split("/", 1)[0],
      agent: row.dataset.a,
      labels: new Set(labels),
      text: `${address} ${labels.join(" ")}`.toLowerCase(),
    };
  });
  const chosen = () => new URLSearchParams(fields.filter((one) => one.value).map((one) => [one.name, one.value]));

  const filter = () => {
    asked = 0;
    const wanted = chosen();
    const terms = (wanted.get("q") || "").toLowerCase().split(/\s+/).filter(Boolean);
    const is = (name, fits) => !wanted.has(name) || fits(wanted.get(name));
    if (wanted.size && !known) known = read();
    let count = 0;
    rows.forEach((row, at) => {
      const one = known && known[at];
      const fits = !wanted.size || (is("sync", (word) => one.facets.has(word)) && is("health", (word) => one.facets.has(word))
        && is("kind", (kind) => one.kind === kind) && is("agent", (agent) => one.agent === agent)
        && is("label", (label) => one.labels.has(label)) && terms.every((term) => one.text.includes(term)));
      if (row.hidden === fits) row.hidden = !fits;
      if (fits) count += 1;
    });
    const number = (value) => value.toLocaleString("en");
    told.textContent = `${count === rows.length ? "" : `${number(count)} of `}${number(rows.length)} resources`;
    none.hidden = count > 0;
    for (const cell of cells) {
      const asks = new URLSearchParams(cell.hash.slice(1));
      const is_shown = asks.size === wanted.size && Array.from(asks).every(([name, value]) => wanted.get(name) === value);
      cell.toggleAttribute("aria-current", is_shown);
      if (is_shown) cell.setAttribute("aria-current", "true");
    }
  };
  const share = () => {
    asked = asked || requestAnimationFrame(filter);
    const hash = chosen().toString();
    try { history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search); } catch { /* not from a file */ }
  };
  const follow = () => {
    const asks = new URLSearchParams(location.hash.slice(1));
    if (!fields.some((one) => asks.has(one.name))) return false;
    for (const one of fields) {
      one.value = asks.get(one.name) || "";
      if (one.tagName === "SELECT" && one.selectedIndex < 0) one.value = "";
    }
    filter();
    return true;
  };

  form.addEventListener("input", share);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(share));
  addEventListener("hashchange", () => { if (follow()) document.getElementById("resources").scrollIntoView(); });
  if (!follow()) filter();
})();

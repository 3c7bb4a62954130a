// The table is sorted by a click on a column's name: by time, by rank or by name; once more turns it round.
(() => {
  const table = document.querySelector(".sortable");
  if (!table) return;
  for (const tile of document.querySelectorAll("button.tile")) {
    tile.addEventListener("click", () => { if (tile.getAttribute("aria-pressed") === "true") table.closest("section").scrollIntoView(); });
  }
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  const rows = Array.from(body.rows);
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.rank) return Number(cell.dataset.rank);
    const time = cell.querySelector("time");
    return time ? Date.parse(time.dateTime) : column > 2 ? Infinity : (cell.querySelector("code") || cell).textContent;
  };
  const compare = (one, other) => typeof one === "number" ? (one === other ? 0 : one < other ? -1 : 1) : one < other ? -1 : one > other ? 1 : 0;
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const isUp = head.getAttribute("aria-sort") !== "ascending";
      for (const one of heads) one.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
      const keyed = rows.map((row) => [keyOf(row, column), row]);
      // What has no time stays last, whichever way round.
      keyed.sort(([one], [other]) => one === Infinity || other === Infinity ? compare(one, other) : isUp ? compare(one, other) : compare(other, one));
      body.append(...keyed.map(([, row]) => row));
    });
  });
})();

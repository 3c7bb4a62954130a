(() => {
  const poster = document.querySelector(".poster");
  for (const view of document.querySelectorAll(".views input")) {
    view.addEventListener("change", () => { poster.className = poster.className.replace(/see-\w+/, `see-${view.value}`); });
  }
  const find = document.getElementById("find");
  if (!find) return;
  const told = document.getElementById("told");
  const rows = Array.from(document.querySelectorAll(".all tbody tr"));
  const words = rows.map((row) => row.textContent.toLowerCase());
  find.addEventListener("input", () => {
    const asked = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let seen = 0;
    rows.forEach((row, at) => {
      row.hidden = !asked.every((word) => words[at].includes(word));
      if (!row.hidden) seen += 1;
    });
    told.textContent = asked.length ? `${seen} of ${rows.length}` : "";
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== find) { event.preventDefault(); find.focus(); }
    if (event.key === "Escape" && document.activeElement === find) { find.value = ""; find.dispatchEvent(new Event("input")); }
  });
})();

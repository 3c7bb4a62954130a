"use strict";
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const remember = {
    get() { try { return localStorage.getItem("reconciler-theme"); } catch { return null; } },
    set(value) { try { localStorage.setItem("reconciler-theme", value); } catch { /* a page from a file may not store */ } },
  };

  const theme = document.getElementById("theme");
  const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const label = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  const kept = remember.get();
  if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember.set(root.dataset.theme);
    label();
  });
  dark.addEventListener("change", label);
  label();

  // An address in the link: its element is unfolded with all around it, and scrolled to.
  const reveal = () => {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { /* as it is written */ }
    const meant = id && document.getElementById(id);
    if (!meant) return;
    meant.dispatchEvent(new CustomEvent("reveal", { bubbles: true }));
    for (let around = meant; around; around = around.parentElement) if (around.tagName === "DETAILS") around.open = true;
    requestAnimationFrame(() => meant.scrollIntoView({ block: "start" }));
  };
  addEventListener("hashchange", reveal);
  addEventListener("DOMContentLoaded", reveal);

  // "/" leads to the page's search, and Escape empties it.
  const search = document.querySelector("main input[type=search]");
  document.addEventListener("keydown", (event) => {
    if (!search || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && event.target === search) {
      search.value = "";
      search.blur();
      search.dispatchEvent(new Event("input", { bubbles: true }));
    }
    if (event.key !== "/" || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("main details:not([open])")].filter((one) => !one.closest("[hidden]"));
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of folded) one.open = false; });
})();

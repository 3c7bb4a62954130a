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
})();

// Keys that work on every page. A person may turn them off: single letters get in the way of
// some who speak to their computer (WCAG 2.1.4).
"use strict";
(() => {
  const OFF = "cellcensus-keys-off";
  const typing = (element) =>
    element.matches("textarea, select, [contenteditable]") ||
    (element.matches("input") && !["checkbox", "radio", "button", "submit", "range"].includes(element.type));
  const keysAreOff = () => localStorage.getItem(OFF) === "1";
  const actions = new Map();

  window.cellcensusKeys = {
    /** Let a key do something on this page; `act` says by its value whether it did. */
    on(key, act) { actions.set(key, act); },
    say(words) {
      const place = document.getElementById("said");
      if (place) place.textContent = words;
    },
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (typing(event.target) || event.target.closest("dialog[open]")) return;
    if (keysAreOff() && event.key !== "?") return;
    const act = actions.get(event.key);
    if (act && act(event) !== false) event.preventDefault();
  });

  function help() {
    const dialog = document.getElementById("keys");
    if (!dialog) return false;
    const box = dialog.querySelector("#keys-off");
    box.checked = keysAreOff();
    box.onchange = () => localStorage.setItem(OFF, box.checked ? "1" : "0");
    dialog.showModal();
    return true;
  }

  function moveRow(step) {
    const links = [...document.querySelectorAll(".list[data-moves] tbody th a")];
    if (!links.length) return false;
    const now = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const next = Math.min(Math.max(now + step, 0), links.length - 1);
    links[now < 0 ? 0 : next].focus();
    return true;
  }

  function focusFirst(selector) {
    const field = document.querySelector(selector);
    if (!field) return false;
    field.focus();
    if (field.select) field.select();
    return true;
  }

  function follow(selector) {
    const link = document.querySelector(selector);
    if (!link) return false;
    link.click();
    return true;
  }

  window.cellcensusKeys.focusFirst = focusFirst;
  window.cellcensusKeys.follow = follow;
  actions.set("?", help);
  actions.set("/", () => focusFirst("#words"));
  for (const key of ["j", "ArrowDown"]) actions.set(key, () => moveRow(1));
  for (const key of ["k", "ArrowUp"]) actions.set(key, () => moveRow(-1));
  actions.set("n", () => follow("a[rel=next]"));
  actions.set("p", () => follow("a[rel=prev]"));
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-help]")) help();
    const closing = event.target.closest("[data-close]");
    if (closing) closing.closest("dialog").close();
  });
})();

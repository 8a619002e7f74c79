// The bench: choose cells by mouse or key, look at one, move through the recording. What is decided
// goes to the server as the same forms that work without this script.
"use strict";
(() => {
  const keys = window.cellcensusKeys;
  const turns = window.cellcensusTurns;
  const gallery = () => document.getElementById("gallery");
  // Those that are on their way to another class are not to be chosen again.
  const boxes = () => [...document.querySelectorAll("#gallery .cell:not(.leaving) input")];
  let anchor = null;

  // -- choosing cells -------------------------------------------------------------------------

  function chosen() { return boxes().filter((box) => box.checked); }

  function count() {
    const number = chosen().length;
    const place = document.getElementById("chosen");
    if (place) place.textContent = number ? `${number} chosen` : "none chosen";
  }

  function range(from, to, value) {
    const all = boxes();
    const ends = [all.indexOf(from), all.indexOf(to)];
    if (ends.includes(-1)) return;
    for (let i = Math.min(...ends); i <= Math.max(...ends); i += 1) all[i].checked = value;
  }

  // One cell can be reached by Tab; the arrows go on from there.
  function enter(box) {
    for (const other of boxes()) other.tabIndex = -1;
    box.tabIndex = 0;
  }

  function columns(all) {
    const top = all[0].closest(".cell").offsetTop;
    const next = all.findIndex((box) => box.closest(".cell").offsetTop > top);
    return next < 0 ? all.length : next;
  }

  function move(event, step) {
    const all = boxes();
    const now = all.indexOf(document.activeElement);
    if (now < 0) return false;
    const to = all[Math.min(Math.max(now + step(all), 0), all.length - 1)];
    if (event.shiftKey) {
      anchor = anchor && all.includes(anchor) ? anchor : all[now];
      for (const box of all) box.checked = false;
      range(anchor, to, true);
    } else {
      anchor = null;
    }
    enter(to);
    to.focus();
    count();
    return true;
  }

  document.addEventListener("click", (event) => {
    const box = event.target.closest && event.target.closest("#gallery .cell input");
    if (!box) return;
    if (event.shiftKey && anchor && anchor !== box) range(anchor, box, box.checked);
    anchor = box;
    enter(box);
    count();
  });
  // A shifted click would mark text.
  document.addEventListener("mousedown", (event) => {
    if (event.shiftKey && event.target.closest("#gallery .cell")) event.preventDefault();
  });

  // The next cell is at hand at once: a quick person does not wait for the answer.
  turns.asked = (form, values) => {
    if (!form.closest("#gallery") || !values.has("cell")) return;
    const all = boxes();
    const at = all.indexOf(document.activeElement);
    leave(values);
    const left = boxes();
    const next = all.slice(at).find((box) => left.includes(box)) || left.at(-1);
    if (at >= 0 && next) { enter(next); next.focus({ preventScroll: true }); }
    anchor = null;
    count();
  };

  function leave(values) {
    const going = new Set(values.getAll("cell"));
    for (const box of boxes().filter((other) => going.has(other.value))) {
      box.checked = false;
      box.closest(".cell").classList.add("leaving");
    }
  }

  function stayAfterAll() {
    turns.stay();
    for (const cell of document.querySelectorAll("#gallery .leaving")) {
      cell.classList.remove("leaving");
      cell.querySelector("input").checked = true;
    }
    count();
  }

  function reclassify(button) {
    const all = boxes();
    if (!button || !all.length) return false;
    if (!chosen().length) {
      const here = all.includes(document.activeElement) ? document.activeElement : null;
      if (!here) { keys.say("Choose cells first: arrow keys and space."); return true; }
      here.checked = true;
    }
    button.click();
    return true;
  }

  for (let digit = 1; digit <= 9; digit += 1) {
    keys.on(String(digit), () => reclassify(document.querySelector(`#gallery [data-key="${digit}"]`)));
  }
  keys.on("u", () => reclassify(document.querySelector('#gallery [data-key="u"]')));
  keys.on("a", () => reclassify(document.querySelector('#gallery [data-key="a"]')));
  keys.on("z", () => keys.follow("#undo button"));
  keys.on("s", () => keys.focusFirst("#sign input[type=password]"));
  keys.on("c", () => keys.focusFirst("#comment textarea"));
  keys.on("h", () => { const more = document.getElementById("hold"); if (more) more.open = true; return keys.focusFirst("#hold textarea"); });
  keys.on("f", () => keys.focusFirst("#frame"));
  keys.on("b", () => {
    const tab = [...document.querySelectorAll("#shelves [data-shelf]")].at(-2);
    if (!tab) return false;
    if (tab.getAttribute("aria-current") !== "true") tab.click();
    gallery().scrollIntoView({ block: "start" });
    return true;
  });
  keys.on("g", () => { const first = boxes().find((box) => box.tabIndex === 0) || boxes()[0]; if (!first) return false; enter(first); first.focus(); return true; });
  keys.on("x", () => { for (const box of boxes()) box.checked = false; count(); return true; });
  keys.on("*", () => { for (const box of boxes()) box.checked = true; count(); return true; });
  keys.on("ArrowRight", (event) => move(event, () => 1));
  keys.on("ArrowLeft", (event) => move(event, () => -1));
  keys.on("ArrowDown", (event) => move(event, columns));
  keys.on("ArrowUp", (event) => move(event, (all) => -columns(all)));
  keys.on("Home", (event) => move(event, (all) => -all.length));
  keys.on("End", (event) => move(event, (all) => all.length));
  const shelf = (step) => () => {
    const tabs = [...document.querySelectorAll("#shelves [data-shelf]")];
    const now = tabs.findIndex((tab) => tab.getAttribute("aria-current") === "true");
    const next = tabs[(now + step + tabs.length) % tabs.length];
    if (next) next.click();
    return Boolean(next);
  };
  keys.on("]", shelf(1));
  keys.on("[", shelf(-1));

  // -- looking at one cell --------------------------------------------------------------------

  let waiting = null;
  let shown = null;
  function look(cell) {
    if (!cell || cell === shown) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      shown = cell;
      htmx.ajax("GET", cell.dataset.about, { target: "#cell", swap: "innerHTML" });
    }, 90);
  }
  for (const kind of ["focusin", "pointerover"]) {
    document.addEventListener(kind, (event) => look(event.target.closest && event.target.closest("#gallery .cell")));
  }

  // -- after the server has answered ----------------------------------------------------------

  let place = 0;
  let focused = null;
  // An answer renews the parts around the one that was sent: what is half written there stays.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    for (const old of target.querySelectorAll("details[id], textarea[id], input[id]")) {
      const next = fragment.querySelector(`#${CSS.escape(old.id)}`);
      if (!next || turns.answers(old)) continue;
      if (old.tagName === "DETAILS") next.open = old.open;
      else next.value = old.value;
    }
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, detail } = { xhr: event.detail.xhr, detail: event.detail };
    // Whoever is signed out is shown the way in, not a page inside a page.
    if (xhr.status === 401 || /\/login(\?|$)/.test(xhr.responseURL)) {
      detail.shouldSwap = false;
      location.reload();
      return;
    }
    if (xhr.status >= 400) stayAfterAll();
    if (xhr.getResponseHeader("HX-Retarget")) {
      detail.shouldSwap = true;
      detail.isError = false;
    } else if (xhr.status >= 400) {
      detail.shouldSwap = false;
      const notice = document.getElementById("notice");
      notice.textContent = xhr.status === 403
        ? "Your role may not do that. Nothing was changed."
        : "The service did not answer as expected. Nothing was changed; reload the page.";
      notice.className = "notice stop";
    }
    if (detail.target && detail.target.id === "gallery") {
      const here = document.activeElement;
      focused = gallery().contains(here) ? here : null;
      place = Math.max(boxes().indexOf(here), 0);
    }
  });
  document.addEventListener("htmx:sendError", () => {
    stayAfterAll();
    const notice = document.getElementById("notice");
    notice.textContent = "The service cannot be reached. Nothing was changed; try again.";
    notice.className = "notice stop";
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id !== "gallery" && !event.detail.target.closest("#gallery")) return;
    prepare();
    if (!focused || event.detail.target.id !== "gallery") return;
    const all = boxes();
    const box = all.find((other) => other.value === focused.value) || all[Math.min(place, all.length - 1)];
    focused = null;
    const tab = document.querySelector('#shelves [aria-current="true"]');
    if (box) { enter(box); box.focus({ preventScroll: true }); } else if (tab) tab.focus();
  });

  function prepare() {
    turns.waiting.forEach(leave);
    const all = boxes();
    if (!all.length) { count(); return; }
    if (!all.some((box) => box === document.activeElement)) enter(all[0]);
    else enter(document.activeElement);
    count();
  }
  document.addEventListener("DOMContentLoaded", prepare);

  // -- the recording --------------------------------------------------------------------------

  let due = null;
  let busy = false;
  function scrub() {
    const slider = document.getElementById("frame");
    if (!slider || busy) { due = true; return; }
    busy = true;
    due = false;
    const address = new URL(slider.form.action, location.href);
    address.searchParams.set("frame", slider.value);
    htmx.ajax("GET", address.pathname + address.search, { target: "#film", swap: "innerHTML" })
      .finally(() => setTimeout(() => { busy = false; if (due) scrub(); }, 40));
  }
  document.addEventListener("input", (event) => {
    if (event.target.id !== "frame") return;
    document.getElementById("frame-number").value = event.target.value;
    scrub();
  });
  let playing = null;
  function stop(button) {
    clearInterval(playing);
    playing = null;
    button.textContent = "Play";
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("#play");
    const jump = event.target.closest("[data-frame]");
    const slider = document.getElementById("frame");
    if (jump && slider) {
      slider.value = jump.dataset.frame;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      slider.focus({ preventScroll: true });
      document.getElementById("recording").scrollIntoView({ block: "start" });
      event.preventDefault();
    }
    if (!button || !slider) return;
    if (playing) { stop(button); return; }
    button.textContent = "Pause";
    playing = setInterval(() => {
      if (Number(slider.value) >= Number(slider.max)) { stop(button); return; }
      slider.value = Number(slider.value) + 1;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    }, 160);
  });
})();

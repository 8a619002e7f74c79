// One change after the other. What is asked for while an answer is awaited is kept as it was asked,
// whatever the answer does to the page it was asked from, and is sent with the version of the
// review that the answer has brought. (htmx's own queue forgets what a replaced form asked for.)
"use strict";
(() => {
  const waiting = [];
  let current = null;
  let seen = "";
  let going = "";
  const busy = () => Boolean(current) || waiting.length > 0;

  const turns = window.cellcensusTurns = {
    /** Whether this field, or this part of the page, is what is being answered now: nothing to keep. */
    answers(part) {
      const form = part.form || part.querySelector("form");
      if (!current || !form || form.getAttribute("hx-post") !== current.path) return false;
      return [...form.querySelectorAll("textarea, input[id]")].every((field) => current.values.get(field.name) === field.value);
    },
    /** The fields of all that waits, in its order. */
    get waiting() { return waiting.map((ask) => ask.values); },
    /** Whoever wanted to go on stays: what they asked for was refused. */
    stay() { going = ""; },
    /** Called with a form and the button it was sent by, once its request waits or is on its way. */
    asked() {},
  };

  function valuesOf(elt, submitter) {
    const values = elt.tagName === "FORM" ? new FormData(elt) : new FormData();
    if (submitter && submitter.name) values.append(submitter.name, submitter.value);
    return values;
  }

  // The same once more is a second click, not a second wish.
  function same(one, other) {
    const told = (ask) => [...ask.values].filter(([name]) => name !== "seen").join("\n");
    return one.path === other.path && told(one) === told(other);
  }

  document.addEventListener("htmx:confirm", (event) => {
    const { elt, verb, path, target, triggeringEvent } = event.detail;
    const bench = elt !== document.querySelector(".bench") && elt.closest(".bench");
    if (!bench || elt.id === "film") return;
    event.preventDefault();
    const without = elt.getAttribute("hx-swap") === "none";
    const ask = {
      elt, verb, path, bench,
      target: without ? bench : target,
      swap: elt.getAttribute("hx-swap"),
      values: valuesOf(elt, triggeringEvent && triggeringEvent.submitter),
    };
    if ([current, ...waiting].some((other) => other && same(other, ask))) return;
    waiting.push(ask);
    turns.asked(elt, ask.values);
    next();
  });

  function next() {
    if (current || !waiting.length) return;
    current = waiting.shift();
    // A part that was replaced meanwhile goes by the same name.
    const id = current.target.id;
    const target = (id && document.getElementById(id)) || current.target;
    if (seen && current.values.has("seen")) current.values.set("seen", seen);
    const { verb, path, bench, swap, values } = current;
    const done = () => {
      current = null;
      next();
      if (going && !busy()) location.assign(going);
    };
    htmx.ajax(verb, path, { source: bench, target, swap, values }).then(done, done);
  }

  // Nobody leaves before what they asked for is done, and nobody signs what they have not seen.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || !busy() || link.hasAttribute("hx-get") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    going = link.href;
  });
  document.addEventListener("submit", (event) => {
    if (!busy() || event.target.hasAttribute("hx-post") || event.target.method !== "post") return;
    event.preventDefault();
    const notice = document.getElementById("notice");
    notice.textContent = "Your last change is still on its way. Look at the new numbers, then do this again.";
    notice.className = "notice stop";
  }, true);
  window.addEventListener("beforeunload", (event) => { if (busy() && !going) event.preventDefault(); });

  // Every change raises the version of the review: the forms that stay must know the newest.
  document.addEventListener("seen", (event) => {
    seen = event.detail.value;
    for (const field of document.querySelectorAll('input[name="seen"]')) field.value = seen;
  });
})();

// What the console's pages do by themselves: scrolling, menus, keys, title and notices.
(() => {
  "use strict";
  const by = (id) => document.getElementById(id);
  const NEAR_END_PX = 80;

  // Menus that are open stay open when the part of the page around them is shown anew.
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
    !(name === "open" && node.tagName === "DETAILS");

  // So does a text that is being corrected: what was typed there is nowhere else yet.
  Idiomorph.defaults.callbacks.beforeNodeMorphed = (node) =>
    !(node.nodeType === Node.ELEMENT_NODE && (node.matches("details.own[open]") || isTypedIn(node)));
  const isTypedIn = (node) => node === document.activeElement && node.matches(".sort input");
  document.body.addEventListener("corrected", () => {
    for (const form of document.querySelectorAll("details.own[open]")) form.open = false;
  });

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    if (event.target.closest(".dismiss")) by("notice").replaceChildren();
    const shows = event.target.closest(".show-details");
    if (shows) {
      const shown = document.body.classList.toggle("details-shown");
      shows.setAttribute("aria-expanded", String(shown));
    } else if (!event.target.closest(".side")) {
      document.body.classList.remove("details-shown");
    }
    if (event.target.closest(".sheet button")) event.target.closest("details").open = false;
  });

  // Title and icon say how many tickets nobody has.
  const title = document.title;
  const icon = by("favicon");
  const calm = icon.getAttribute("href");
  const count = () => {
    const waiting = Number(document.querySelector("#unassigned [data-count]")?.dataset.count ?? 0);
    document.title = waiting ? `(${waiting}) ${title}` : title;
    icon.href = waiting ? icon.dataset.waiting : calm;
  };
  document.body.addEventListener("htmx:afterSettle", count);

  const connection = by("connection");
  const connected = (up) => {
    connection.classList.toggle("down", !up);
    connection.querySelector(".words").textContent = up ? connection.dataset.up : connection.dataset.down;
  };
  document.body.addEventListener("htmx:sseOpen", () => connected(true));
  document.body.addEventListener("htmx:sseError", () => connected(false));

  // The conversation stays where the agent reads; at its end it follows what comes.
  const messages = () => by("messages");
  const isAtEnd = () => {
    const pane = messages();
    return pane.scrollHeight - pane.scrollTop - pane.clientHeight < NEAR_END_PX;
  };
  const toEnd = () => { messages().scrollTop = messages().scrollHeight; };
  if (messages()) {
    let wasAtEnd = true;
    let last = messages().lastElementChild?.id;
    const newest = by("to-newest");
    toEnd();
    document.body.addEventListener("htmx:oobBeforeSwap", (event) => {
      if (event.detail.target.id === "messages") wasAtEnd = isAtEnd();
    });
    document.body.addEventListener("htmx:oobAfterSwap", (event) => {
      if (event.detail.target.id !== "messages") return;
      const now = messages().lastElementChild?.id;
      if (wasAtEnd) toEnd();
      else if (newest && now !== last) newest.hidden = false;
      last = now;
    });
    // The composer grows and shrinks: who was at the end stays there.
    let atEnd = true;
    messages().addEventListener("scroll", () => { atEnd = isAtEnd(); }, { passive: true });
    new ResizeObserver(() => { if (atEnd) toEnd(); }).observe(messages());
    newest?.addEventListener("click", () => { toEnd(); newest.hidden = true; });
    document.addEventListener("scroll", () => {
      if (newest && isAtEnd()) newest.hidden = true;
    }, { capture: true, passive: true });
  }

  // Keys, where nothing is being typed.
  const step = (by_) => {
    const rows = [...document.querySelectorAll("a.row")];
    const at = rows.indexOf(document.activeElement);
    const from = at >= 0 ? at : rows.findIndex((row) => row.hasAttribute("aria-current"));
    rows[Math.min(Math.max(from + by_, 0), rows.length - 1)]?.focus();
  };
  const openNext = (by_) => {
    const rows = [...document.querySelectorAll("a.row")];
    rows[rows.findIndex((row) => row.hasAttribute("aria-current")) + by_]?.click();
  };
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    ".": () => openNext(1),
    ",": () => openNext(-1),
    r: () => { by("mode-reply")?.click(); by("text")?.focus(); },
    n: () => { by("mode-note")?.click(); by("text")?.focus(); },
  };
  // Other keys belong to an element that says so: a menu opens, a field is gone to, a button
  // pressed.
  const press = (key) => {
    const owned = [...document.querySelectorAll("[aria-keyshortcuts]")]
      .filter((one) => one.getAttribute("aria-keyshortcuts") === key && one.checkVisibility()).pop();
    if (!owned) return false;
    if (owned.matches("input, textarea")) owned.focus();
    else owned.click();
    const menu = owned.matches("summary") ? owned.parentElement : null;
    const first = () => menu?.querySelector("[data-first]")
      ?? menu?.querySelector(".sheet :is(button, textarea, input:not([type=hidden]))");
    if (menu?.open && first()) first().focus();
    else menu?.addEventListener("htmx:afterSettle", () => first()?.focus(), { once: true });
    return true;
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      document.body.classList.remove("details-shown");
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
      return;
    }
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    } else if (event.key.length === 1 && press(event.key)) {
      event.preventDefault();
    }
  });

  // A row that was chosen stays in sight on the next page.
  document.querySelector("a.row[aria-current]")?.scrollIntoView({ block: "nearest" });
})();

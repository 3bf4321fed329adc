// What the console's pages do by themselves: scrolling, menus, title and notices.
(() => {
  "use strict";
  const by = (id) => document.getElementById(id);
  const NEAR_END_PX = 80;

  // What somebody typed or chose stays, whatever news come in, until the form that holds it is taken
  // as it now is: what was typed on while it was under way is still to be sent.
  const typed = new WeakSet();
  const sent = new WeakMap();
  const state = (field) => (field.matches("[type=checkbox], [type=radio]") ? field.checked : field.value);
  for (const name of ["input", "change"]) {
    document.addEventListener(name, ({ target }) => typed.add(target), true);
  }
  const isTyped = (name, node) =>
    ["value", "checked", "selected"].includes(name) && typed.has(node.closest("select") ?? node);
  const sendsItself = (form) => form.matches("form[hx-trigger^=change]");
  document.body.addEventListener("htmx:beforeRequest", ({ detail: { elt } }) => {
    if (elt.matches("form")) for (const field of elt.elements) sent.set(field, state(field));
  });
  document.body.addEventListener("htmx:beforeSwap", ({ detail: { requestConfig: { elt }, xhr } }) => {
    if (!elt.matches("form") || (xhr.status >= 400 && !sendsItself(elt))) return;
    for (const field of elt.elements) if (sent.get(field) === state(field)) typed.delete(field);
  });
  document.body.addEventListener("htmx:sendError", ({ detail: { requestConfig: { elt, verb } } }) => {
    if (verb === "get") return;
    const said = document.createElement("p");
    said.textContent = by("connection").dataset.unsent;
    by("notice").replaceChildren(said);
    if (!sendsItself(elt)) return;
    for (const field of elt.elements) typed.delete(field);
    elt.reset();
  });
  addEventListener("pagehide", () => {
    for (const form of document.querySelectorAll("form.sort")) {
      if (!sendsItself(form) || ![...form.elements].some((field) => typed.has(field)) || !form.checkValidity()) continue;
      const body = new URLSearchParams(new FormData(form));
      fetch(form.action, { method: "POST", body, keepalive: true }).catch(() => {}); // the page is gone
    }
  });

  // Menus that are open stay open when the part of the page around them is shown anew.
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
    !((name === "open" && node.tagName === "DETAILS") || (name === "hidden" && node.id === "bulk-bar") || (name === "style" && node.matches(".sheet")) || isTyped(name, node));

  Idiomorph.defaults.callbacks.beforeNodeMorphed = (node) =>
    !(node.nodeType === Node.ELEMENT_NODE && node.matches("details.own[open], #tag-list, input.choose, input.choose-all, .count.later"));
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

  // What a menu opens stays within the pane that cuts off what is outside.
  const isCut = (pane) => getComputedStyle(pane).overflowX !== "visible";
  const keepInPane = (menu) => {
    const sheet = menu.querySelector(".sheet");
    if (!sheet) return;
    sheet.style.translate = "";
    let pane = menu.parentElement;
    while (pane !== document.documentElement && !isCut(pane)) pane = pane.parentElement;
    const [room, at] = [pane.getBoundingClientRect(), sheet.getBoundingClientRect()];
    const left = Math.max(room.left, 0) + 6;
    const right = Math.min(room.right, document.documentElement.clientWidth) - 6;
    const shift = Math.max(left - at.left, Math.min(0, right - at.right));
    if (shift) sheet.style.translate = `${shift}px`;
  };
  document.addEventListener("toggle", ({ target: menu }) => {
    if (menu.matches("details.menu[open]")) keepInPane(menu);
  }, true);
  window.addEventListener("resize", () => {
    document.querySelectorAll("details.menu[open]").forEach(keepInPane);
  });

  // On a phone the bar of rooms is wider than the page: where one is, is in view.
  for (const here of document.querySelectorAll(".rooms [aria-current], .views [aria-current], .tabs [aria-current]")) {
    const bar = here.closest(".rooms, .views, .tabs");
    if (bar.scrollWidth > bar.clientWidth) bar.scrollLeft = here.offsetLeft - bar.offsetLeft - (bar.clientWidth - here.offsetWidth) / 2;
  }

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


  // A row that was chosen stays in sight on the next page.
  document.querySelector("a.row[aria-current]")?.scrollIntoView({ block: "nearest" });
})();

// Keys, where nothing is being typed. The sheet that `?` opens names them all.
(() => {
  "use strict";
  const by = (id) => document.getElementById(id);
  const GO_ON_MS = 1500;
  const sheet = by("keys");

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
    "?": () => sheet.showModal(),
    j: () => step(1),
    k: () => step(-1),
    ".": () => openNext(1),
    ",": () => openNext(-1),
    r: () => { by("mode-reply")?.click(); by("text")?.focus(); },
    n: () => { by("mode-note")?.click(); by("text")?.focus(); },
  };
  // After `g`, a letter leads to a room.
  const rooms = {
    q: "/console/queue",
    r: "/console/requesters",
    k: "/console/knowledge",
    n: "/console/notices",
    f: "/console/search",
  };
  let going = -GO_ON_MS;

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
    if (sheet.open) return;
    if (event.key === "Escape") {
      document.body.classList.remove("details-shown");
      const menus = document.querySelectorAll("details.menu[open]");
      // Where nothing is open, the composer is left: keys such as "z" work again.
      if (!menus.length && event.target === by("text")) event.target.blur();
      for (const menu of menus) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
      return;
    }
    // A box to tick takes no letters: keys go on working there.
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.timeStamp - going < GO_ON_MS && rooms[event.key]) {
      event.preventDefault();
      location.assign(rooms[event.key]);
      return;
    }
    going = event.key === "g" ? event.timeStamp : -GO_ON_MS;
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    } else if (event.key.length === 1 && press(event.key)) {
      event.preventDefault();
    }
  });

  by("show-keys")?.addEventListener("click", () => sheet.showModal());
  sheet.addEventListener("click", (event) => { if (event.target === sheet) sheet.close(); });
})();

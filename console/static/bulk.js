// Choosing several tickets of the queue: one by one, all from one to another, all of the page.
(() => {
  "use strict";
  const room = document.getElementById("queue");
  const seen = new Map(); // who had a ticket when it was chosen; nobody is taken by surprise
  let last = null; // the number of the ticket that was chosen last

  const boxes = () => [...room.querySelectorAll("input.choose")];
  const show = () => {
    const all = boxes();
    const chosen = all.filter((box) => box.checked);
    for (const box of all) {
      const holder = box.nextElementSibling;
      if (!box.checked) seen.delete(box.value);
      else if (!seen.has(box.value)) seen.set(box.value, holder.dataset.now);
      holder.value = `${box.value}=${seen.get(box.value) ?? holder.dataset.now}`;
    }
    const bar = document.getElementById("bulk-bar");
    const whole = document.getElementById("choose-all");
    if (!bar) return;
    bar.hidden = chosen.length === 0;
    const words = bar.querySelector(".chosen");
    words.textContent = chosen.length === 1 ? words.dataset.one
      : words.dataset.many.replace("#", String(chosen.length));
    whole.checked = all.length > 0 && chosen.length === all.length;
    whole.indeterminate = chosen.length > 0 && chosen.length < all.length;
  };
  const none = () => {
    for (const box of boxes()) box.checked = false;
    last = null;
    show();
  };

  room.addEventListener("click", (event) => {
    const box = event.target.closest("input.choose");
    if (box) {
      const all = boxes();
      const from = all.findIndex((one) => one.value === last);
      const to = all.indexOf(box);
      if (event.shiftKey && from >= 0) {
        for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) {
          one.checked = box.checked;
        }
      }
      last = box.value;
      show();
    }
    if (event.target.closest("#choose-all")) {
      const on = event.target.checked;
      for (const one of boxes()) one.checked = on;
      show();
    }
    if (event.target.closest(".clear-chosen")) none();
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && !document.querySelector("details.menu[open]")) none();
    if (event.key !== "x" || event.target.closest("input, textarea, select")) return;
    const box = document.activeElement.closest("tr")?.querySelector("input.choose");
    if (!box) return;
    box.checked = !box.checked;
    last = box.value;
    show();
  });

  // What requesters hear of, or cannot be undone, is asked about first.
  const dialog = document.getElementById("bulk-ask");
  const inOthers = ({ languages, oneOther, others }) => {
    const spoken = languages?.split(" ");
    const count = !spoken ? 0
      : boxes().filter((box) => box.checked && !spoken.includes(box.dataset.language)).length;
    if (count === 0) return "";
    return ` ${count === 1 ? oneOther : others.replace("#", String(count))}`;
  };
  document.body.addEventListener("htmx:confirm", (event) => {
    const button = event.detail.triggeringEvent?.submitter;
    if (!button?.dataset.ask || button.dataset.agreed) return;
    event.preventDefault();
    const count = document.querySelector("#bulk-bar .chosen").textContent;
    document.getElementById("bulk-question").textContent = `${count}. ${button.dataset.ask}${inOthers(button.dataset)}`;
    dialog.returnValue = "";
    dialog.onclose = () => {
      if (dialog.returnValue !== "yes") return;
      // The list may have been shown anew while the question stood there, with other buttons.
      const now = room.querySelector(`button[name="do"][value="${CSS.escape(button.value)}"]`);
      if (!now) return;
      now.dataset.agreed = "yes";
      now.click(); // again: htmx sends the name of the button that was clicked last
      delete now.dataset.agreed;
    };
    dialog.showModal();
  });

  // What was chosen stays chosen while the list is shown anew, until something is done with it.
  document.body.addEventListener("htmx:afterSettle", show);
  document.body.addEventListener("bulked", (event) => {
    none();
    // Those that refused are left to be looked at, or to be given something else.
    const failed = new Set(event.detail.failed);
    for (const box of boxes()) box.checked = failed.has(box.value);
    show();
  });
  show(); // browsers keep what was chosen before a page was loaded again
})();

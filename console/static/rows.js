// A click anywhere in a row of the queue opens its ticket; one beside its box ticks it.
(() => {
  "use strict";
  const link = (event) => {
    if (event.target.closest("a, input, button, summary") || !getSelection().isCollapsed) return null;
    return event.target.closest("table.tickets tbody tr")?.querySelector("a.row");
  };
  document.addEventListener("click", (event) => {
    const found = link(event);
    if (!found) return;
    const box = event.target.closest(".pick")?.querySelector("input");
    if (box) box.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: event.shiftKey }));
    else if (event.ctrlKey || event.metaKey) window.open(found.href, "_blank", "noopener");
    else found.click();
  });
  document.addEventListener("auxclick", (event) => {
    const found = event.button === 1 && link(event);
    if (found) window.open(found.href, "_blank", "noopener");
  });
})();

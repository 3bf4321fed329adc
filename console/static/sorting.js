// The details pane's inputs: what was taken in is not left standing.
(() => {
  "use strict";
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt;
    if (!event.detail.successful || !form.matches(".tags form")) return;
    const typed = form.querySelector("input[name=add]");
    if (typed) typed.value = "";
  });
})();

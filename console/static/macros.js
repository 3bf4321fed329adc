// Choosing a macro: its text goes where the agent writes, what else it does is sent along.
(() => {
  "use strict";
  const place = document.getElementById("macro");
  const text = document.getElementById("text");
  if (!place || !text) return;

  place.addEventListener("htmx:afterSwap", () => {
    const words = place.querySelector("#macro-text")?.content.textContent ?? "";
    const before = text.value.trimEnd();
    text.value = before ? `${before}\n\n${words}` : words;
    text.dispatchEvent(new Event("input", { bubbles: true }));
    text.focus();
  });
  place.addEventListener("click", (event) => {
    if (event.target.closest(".drop-macro")) place.replaceChildren();
  });
  document.body.addEventListener("said", () => place.replaceChildren());
})();

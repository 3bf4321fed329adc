// Inserting an earlier answer as a draft: its text goes where the agent writes, its source is shown.
(() => {
  "use strict";
  const text = document.getElementById("text");
  const drafted = document.getElementById("drafted");
  if (!text || !drafted) return;

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".use-answer");
    if (!button) return;
    const words = button.querySelector("template")?.content.textContent ?? "";
    const before = text.value.trimEnd();
    text.value = before ? `${before}\n\n${words}` : words;
    drafted.textContent = button.dataset.source ?? "";
    drafted.hidden = false;
    button.closest("details")?.removeAttribute("open");
    const reply = document.getElementById("mode-reply");
    if (reply && !reply.checked) reply.click();
    text.dispatchEvent(new Event("input", { bubbles: true }));
    text.focus();
  });
  document.body.addEventListener("said", () => {
    drafted.hidden = true;
  });
})();

// The search in the bar: arrow keys lead from what is typed through what is found.
(() => {
  "use strict";
  const box = document.querySelector(".quick-search");
  const input = document.getElementById("search");
  const found = document.getElementById("quick-found");
  if (!box) return;

  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      input.focus();
      found.replaceChildren();
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const links = [...found.querySelectorAll("a")];
    if (!links.length) return;
    event.preventDefault();
    const to = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    (to < 0 ? input : links[Math.min(to, links.length - 1)]).focus();
  });
})();

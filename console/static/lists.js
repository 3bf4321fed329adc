// Lists whose rows stack on narrow pages: each cell there, but for a row's heading, shows the name of its column.
(() => {
  "use strict";
  const nameCells = () => {
    for (const table of document.querySelectorAll("table.stacks, table.tickets")) {
      const names = [...table.tHead.rows[0].cells].map((head) =>
        head.querySelector("input, .visually-hidden") ? "" : head.textContent.replaceAll(/\s+/g, " ").trim());
      for (const row of table.tBodies[0].rows) {
        for (const cell of row.querySelectorAll("td")) if (names[cell.cellIndex]) cell.dataset.column = names[cell.cellIndex];
      }
    }
  };
  nameCells();
  document.addEventListener("htmx:afterSettle", nameCells);
})();

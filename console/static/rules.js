// Forms of rules and macros: what fits a chosen field or action is offered, the rest is not.
(() => {
  "use strict";
  const WITHOUT_VALUE = new Set(["empty", "filled", "changed"]);

  const listOf = (option) => {
    const kinds = option?.dataset.names ?? "";
    return kinds ? `names-${kinds.replaceAll(" ", "-")}` : null;
  };

  const offer = (row) => {
    const [field, comparison] = row.querySelectorAll("select");
    const value = row.querySelector("input");
    const option = field.selectedOptions[0];
    const fits = option?.dataset.fits?.split(" ");
    for (const one of comparison.options) {
      one.hidden = one.disabled = fits !== undefined && !fits.includes(one.value);
    }
    if (comparison.selectedOptions[0]?.disabled) comparison.value = fits[0];
    value.hidden = WITHOUT_VALUE.has(comparison.value) && field.value !== "";
    const list = listOf(option);
    if (list) value.setAttribute("list", list);
    else value.removeAttribute("list");
  };

  // A textarea completes nothing, and only texts need one.
  const complete = (row) => {
    const option = row.querySelector("select").selectedOptions[0];
    const old = row.querySelector("textarea, input");
    const isText = option?.dataset.text !== undefined;
    const list = listOf(option);
    let value = old;
    if (isText !== (old.tagName === "TEXTAREA")) {
      value = document.createElement(isText ? "textarea" : "input");
      value.name = old.name;
      value.value = old.value;
      value.autocomplete = "off";
      value.maxLength = old.maxLength;
      if (isText) value.rows = 1;
      value.setAttribute("aria-label", old.getAttribute("aria-label"));
      old.replaceWith(value);
    }
    value.hidden = option?.dataset.bare !== undefined;
    if (list) value.setAttribute("list", list);
    else value.removeAttribute("list");
  };

  const fit = (row) => (row.matches(".condition") ? offer : complete)(row);
  document.querySelectorAll(".condition, .action").forEach(fit);

  // One more row is the last one again, empty, with the next number in its names.
  const addRow = (place) => {
    const rows = place.parentElement.querySelectorAll(".condition, .action");
    const row = rows[rows.length - 1].cloneNode(true);
    for (const field of row.querySelectorAll("select, input, textarea")) {
      field.name = field.name.replace(/\d+$/, (number) => String(Number(number) + 1));
      if (field.matches("select")) field.selectedIndex = 0;
      else field.value = "";
    }
    place.before(row);
    fit(row);
    row.querySelector("select").focus();
    place.hidden = rows.length + 1 >= Number(place.dataset.most);
  };
  for (const place of document.querySelectorAll(".more")) {
    place.hidden = place.parentElement.querySelectorAll(".condition, .action").length >= Number(place.dataset.most);
    place.querySelector("button").addEventListener("click", () => addRow(place));
  }
  document.body.addEventListener("change", (event) => {
    const row = event.target.matches("select") && event.target.closest(".condition, .action");
    if (row) fit(row);
  });
})();

// Between whom a letter goes: addresses as chips, kept until it is sent, one click for all or one.
(() => {
  "use strict";
  const composer = document.getElementById("composer");
  const block = () => document.getElementById("addressing");
  if (!composer || !block()?.querySelector(".addressees")) return;

  // What the agent changed stays, whatever comes in meanwhile.
  let isTouched = false;
  const fields = () => [...block().querySelectorAll("input[name]")];
  const keep = () => {
    isTouched = true;
    composer.dispatchEvent(new Event("typed"));
  };
  const morphs = Idiomorph.defaults.callbacks.beforeNodeMorphed;
  Idiomorph.defaults.callbacks.beforeNodeMorphed = (node, to) =>
    !(isTouched && node.id === "addressing") && morphs(node, to);

  const split = (words) => words.split(/[,;\n]+/).map((word) => word.trim()).filter(Boolean);

  const draw = (row) => {
    const field = row.querySelector("input[name]");
    const { remove, bounced, bouncedWords } = block().dataset;
    const cameBack = new Set(JSON.parse(bounced));
    const chips = split(field.value).map((address) => {
      const chip = Object.assign(document.createElement("li"), { title: address });
      const label = Object.assign(document.createElement("span"), { textContent: address });
      if (cameBack.has(address.toLowerCase())) {
        chip.className = "bounced";
        chip.title = bouncedWords;
      }
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
      button.setAttribute("aria-label", `${remove}: ${address}`);
      button.addEventListener("click", () => {
        field.value = split(field.value).filter((other) => other !== address).join(", ");
        draw(row);
        keep();
        row.querySelector(".adding").focus();
      });
      chip.append(label, button);
      return chip;
    });
    row.querySelector("ul").replaceChildren(...chips);
  };

  const take = (row) => {
    const field = row.querySelector("input[name]");
    const adding = row.querySelector(".adding");
    const words = split(adding.value);
    if (!words.length) return;
    field.value = [...new Set([...split(field.value), ...words])].join(", ");
    adding.value = "";
    draw(row);
    keep();
  };

  const dress = () => {
    for (const row of block().querySelectorAll(".addressees")) {
      if (row.querySelector(".adding")) continue;
      const field = row.querySelector("input[name]");
      const label = row.querySelector("label");
      const adding = Object.assign(document.createElement("input"), {
        className: "adding", id: `${field.id}-adding`, type: "text", autocomplete: "off", spellcheck: false,
      });
      adding.setAttribute("inputmode", "email");
      adding.placeholder = block().dataset.add;
      label.htmlFor = adding.id;
      field.type = "hidden";
      const list = Object.assign(document.createElement("ul"), { className: "chips" });
      field.after(list, adding);
      adding.addEventListener("keydown", (event) => {
        if (["Enter", ",", ";"].includes(event.key) && !event.ctrlKey && !event.metaKey) {
          event.preventDefault();
          take(row);
        } else if (event.key === "Backspace" && !adding.value) {
          list.querySelector("li:last-child button")?.click();
        }
      });
      adding.addEventListener("paste", () => setTimeout(() => take(row)));
      adding.addEventListener("blur", () => take(row));
      // The composer goes back to its text after every change elsewhere.
      adding.addEventListener("change", (event) => event.stopPropagation());
      draw(row);
    }
    const about = block().querySelector("[name=subject]");
    about?.addEventListener("change", (event) => { event.stopPropagation(); keep(); });
    about?.addEventListener("input", keep);
  };

  composer.addEventListener("click", (event) => {
    const button = event.target.closest(".whom button");
    if (!button) return;
    for (const name of ["to", "cc"]) {
      const field = block().querySelector(`input[name=${name}]`);
      field.value = button.dataset[name];
      draw(field.closest(".addressees"));
    }
    keep();
  });
  composer.addEventListener("submit", () => {
    for (const row of block().querySelectorAll(".addressees")) take(row);
  }, { capture: true });
  document.body.addEventListener("said", () => {
    isTouched = false;
  });
  document.body.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target.id === "addressing") dress();
  });

  // How a draft is addressed, for whoever keeps it; nothing where the agent left it as it was.
  composer.addressing = {
    values: () => {
      if (!isTouched) return null;
      const at = Object.fromEntries(fields().map((field) => [field.name, field.value]));
      return { to: split(at.to), cc: split(at.cc), bcc: split(at.bcc), subject: at.subject.trim() || null };
    },
    put: (kept) => {
      isTouched = true;
      for (const field of fields()) {
        const value = kept[field.name] ?? "";
        field.value = Array.isArray(value) ? value.join(", ") : value;
        const row = field.closest(".addressees");
        if (row) draw(row);
      }
    },
  };
  dress();
})();

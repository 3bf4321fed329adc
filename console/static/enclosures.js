// Files that go with an answer: chosen, dropped or pasted, handed in at once, sent with the words.
(() => {
  "use strict";
  const composer = document.getElementById("composer");
  const list = document.getElementById("enclosed");
  if (!composer || !list) return;
  const text = document.getElementById("text");
  const said = document.getElementById("enclosing-failed");
  const { maxFiles, maxBytes } = composer.dataset;
  let busy = 0;

  const isNote = () => composer.elements.mode.value === "note";
  const problems = { list: "", handingIn: "", busy: "" };
  const complain = (about, words = "") => {
    problems[about] = words;
    said.textContent = Object.values(problems).filter(Boolean).join(" ");
    said.hidden = !said.textContent;
  };
  const rows = () => [...list.querySelectorAll("li[data-id]")];

  const keep = () => {
    text.required = !rows().length;
    check();
    composer.dispatchEvent(new Event("typed"));
  };

  // What is wrong with the list is said before anything is sent.
  const check = () => {
    const files = rows();
    let wrong = "";
    if (!isNote() && files.length) {
      if (Number(maxFiles) === 0) wrong = composer.dataset.none;
      else if (files.length > Number(maxFiles)) wrong = composer.dataset.tooMany;
      else if (files.some((row) => Number(row.dataset.size) > Number(maxBytes))) wrong = composer.dataset.tooLarge;
    }
    complain("list", wrong);
    return !wrong;
  };

  const show = ({ id, name, size }, row = document.createElement("li")) => {
    row.className = "";
    row.dataset.id = id;
    row.dataset.name = name;
    row.dataset.size = size;
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: "file", value: id });
    const label = Object.assign(document.createElement("span"), { textContent: name });
    const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
    remove.setAttribute("aria-label", `${composer.dataset.remove}: ${name}`);
    remove.addEventListener("click", () => { row.remove(); keep(); text.focus(); });
    row.replaceChildren(field, label, remove);
    if (!row.isConnected) list.append(row);
  };

  const handIn = async (file) => {
    const fail = (words) => complain("handingIn", `${problems.handingIn} ${file.name}: ${words}`.trim());
    if (!isNote() && Number(maxFiles) === 0) {
      complain("list", composer.dataset.none);
      return;
    }
    if (file.size > Number(maxBytes) && !isNote()) {
      fail(composer.dataset.tooLarge);
      return;
    }
    const row = document.createElement("li");
    const { isGone, problem, answer } = await send(file, row);
    if (isGone) row.remove();
    else if (problem) {
      row.remove();
      fail(problem);
    } else show(answer, row);
    keep();
  };

  // A file on its way: its name, how much has arrived, and a button that ends it.
  const send = (file, row) => new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const bar = Object.assign(document.createElement("progress"), { max: 1 });
    bar.setAttribute("aria-label", file.name);
    const label = Object.assign(document.createElement("span"), { textContent: file.name });
    const stop = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
    stop.setAttribute("aria-label", `${composer.dataset.stop}: ${file.name}`);
    stop.addEventListener("click", () => request.abort());
    row.className = "busy";
    row.replaceChildren(label, bar, stop);
    list.append(row);
    busy += 1;
    const end = (outcome) => {
      busy -= 1;
      if (!busy) complain("busy");
      resolve(outcome);
    };
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
    });
    // All of it has left: how long the desk looks at it cannot be told.
    request.upload.addEventListener("load", () => bar.removeAttribute("value"));
    request.addEventListener("load", () => {
      let body = {};
      try {
        body = JSON.parse(request.responseText);
      } catch { /* a proxy's page: there is nothing in it for the agent */ }
      if (request.status === 201) end({ answer: body });
      else end({ problem: body.error ?? composer.dataset.failed });
    });
    request.addEventListener("error", () => end({ problem: composer.dataset.failed }));
    request.addEventListener("abort", () => end({ isGone: true }));
    request.open("POST", "/console/files");
    request.setRequestHeader("X-CSRF-Token", composer.dataset.csrf);
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name || "file"));
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.send(file);
  });
  const handInAll = (files) => {
    complain("handingIn");
    for (const file of files) handIn(file);
  };

  document.getElementById("files").addEventListener("change", (event) => {
    handInAll(event.target.files);
    event.target.value = "";
    event.stopPropagation();
  });
  text.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files ?? [];
    if (!files.length) return;
    event.preventDefault();
    handInAll(files);
  });
  const pane = composer.closest(".work") ?? composer;
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  pane.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    composer.classList.add("dropping");
  });
  pane.addEventListener("dragleave", (event) => {
    if (!pane.contains(event.relatedTarget)) composer.classList.remove("dropping");
  });
  pane.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    composer.classList.remove("dropping");
    handInAll(event.dataTransfer.files);
  });

  composer.addEventListener("submit", (event) => {
    complain("busy", busy ? composer.dataset.busy : "");
    if (busy || !check()) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, { capture: true });
  composer.addEventListener("change", check);
  let sent = [];
  composer.addEventListener("htmx:beforeRequest", () => { sent = rows(); });
  document.body.addEventListener("said", () => {
    for (const row of sent) row.remove();
    keep();
  });

  // What a draft has enclosed, for whoever keeps it.
  composer.enclosed = {
    list: () => rows().map(({ dataset: { id, name, size } }) => ({ id, name, size })),
    put: (files) => {
      for (const row of rows()) row.remove();
      for (const file of files) show(file);
      text.required = !files.length;
      check();
    },
  };
})();

// Files that go with an answer: chosen, dropped or pasted, handed in at once, sent with the words.
(() => {
  "use strict";
  const composer = document.getElementById("composer");
  const list = document.getElementById("enclosed");
  if (!composer || !list) return;
  const text = document.getElementById("text");
  const said = document.getElementById("enclosing-failed");
  const { maxFiles, maxBytes, draft } = composer.dataset;
  const KEY = `${draft}-files`;
  let busy = 0;

  const isNote = () => composer.elements.mode.value === "note";
  const problems = { list: "", handingIn: "" };
  const complain = (about, words = "") => {
    problems[about] = words;
    said.textContent = Object.values(problems).filter(Boolean).join(" ");
    said.hidden = !said.textContent;
  };
  const rows = () => [...list.querySelectorAll("li[data-id]")];

  const keep = () => {
    const files = rows().map((row) => ({ ...row.dataset }));
    if (files.length) sessionStorage.setItem(KEY, JSON.stringify(files));
    else sessionStorage.removeItem(KEY);
    text.required = !files.length;
    check();
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
    row.className = "busy";
    row.textContent = file.name;
    list.append(row);
    busy += 1;
    let problem = "";
    try {
      const answer = await fetch("/console/files", {
        method: "POST",
        body: file,
        headers: {
          "X-CSRF-Token": composer.dataset.csrf,
          "X-File-Name": encodeURIComponent(file.name || "file"),
          "Content-Type": file.type || "application/octet-stream",
        },
      });
      const body = await answer.json().catch(() => ({}));
      if (answer.ok) show(body, row);
      else problem = body.error ?? composer.dataset.failed;
    } catch {
      problem = composer.dataset.failed;
    }
    busy -= 1;
    if (problem) row.remove();
    keep();
    if (problem) fail(problem);
  };
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
    complain("handingIn", busy ? composer.dataset.busy : "");
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

  for (const file of JSON.parse(sessionStorage.getItem(KEY) ?? "[]")) show(file);
  keep();
})();

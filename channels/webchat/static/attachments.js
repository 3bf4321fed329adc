// Files that go with the next message: handed in as soon as they are chosen, shown above the field.

import { isPicture, sizeName } from "./files.js";
import { t } from "./words.js";

/** An item is { name, size, media_type, state: "coming" | "ready", file?, preview?, request? }. */
export class Attachments {
  #session;
  #list = document.getElementById("attached");
  #handlers;
  #maxFiles;
  #maxBytes;
  #notes = []; // of the files that were chosen last
  items = [];

  /** `handlers`: onChange(), onNote(words), onRefused(token). */
  constructor(session, { maxFiles, maxBytes }, handlers) {
    this.#session = session;
    this.#maxFiles = maxFiles;
    this.#maxBytes = maxBytes;
    this.#handlers = handlers;
  }

  get isComing() {
    return this.items.some((item) => item.state === "coming");
  }

  add(files) {
    this.#notes = [];
    this.#handlers.onNote("");
    for (const file of files) {
      if (this.items.length >= this.#maxFiles) {
        this.#note(t("A message takes {count} files at most.", { count: this.#maxFiles }));
        return;
      }
      if (file.size > this.#maxBytes) this.#refuse(file, 413);
      else this.#handIn(file);
    }
  }

  /** Return what a message says about its files, and begin anew. */
  take() {
    const taken = this.items.map(({ file, name, size, media_type, preview }) => ({ file, name, size, media_type, preview }));
    this.items = [];
    this.#changed();
    return taken;
  }

  remove(item) {
    item.request?.abort();
    if (item.preview) URL.revokeObjectURL(item.preview);
    this.items = this.items.filter((other) => other !== item);
    this.#changed();
  }

  clear() {
    for (const item of [...this.items]) this.remove(item);
  }

  async #handIn(file) {
    const item = { name: file.name || t("Picture"), size: file.size, media_type: file.type, state: "coming" };
    if (isPicture(file.type)) item.preview = URL.createObjectURL(file);
    this.items.push(item);
    this.#changed();
    let token = null;
    try {
      token = await this.#session.open();
      const answer = await this.#send(item, file, token);
      Object.assign(item, { file: answer.file, name: answer.name, media_type: answer.media_type, state: "ready" });
      this.#changed();
    } catch ({ status }) {
      if (!this.items.includes(item)) return; // taken out meanwhile
      this.remove(item);
      if (status === 401) this.#handlers.onRefused(token);
      this.#refuse(file, status);
    }
  }

  /** Post `file`; a request of the old kind, because the new one does not tell how far it is. */
  #send(item, file, token) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      item.request = request;
      request.open("POST", `/chat/files?name=${encodeURIComponent(item.name)}`);
      request.setRequestHeader("Authorization", `Bearer ${token}`);
      request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
      request.responseType = "json";
      request.upload.addEventListener("progress", ({ loaded, total }) => {
        const bar = item.element?.querySelector("progress");
        if (bar && total) bar.value = loaded / total;
      });
      request.addEventListener("load", () => (request.status === 201 ? resolve(request.response) : reject(request)));
      for (const end of ["error", "abort", "timeout"]) request.addEventListener(end, () => reject(request));
      request.send(file);
    });
  }

  #refuse({ name }, status) {
    const values = { name, size: sizeName(this.#maxBytes) };
    if (status === 413) this.#note(t("“{name}” is too large: {size} at most.", values));
    else if (status === 422) this.#note(t("“{name}” cannot be sent: files of this kind, empty and damaged ones are not taken.", values));
    else if (status === 429) this.#note(t("“{name}” was not taken: too many files at once. Try again in a minute.", values));
    else this.#note(t("“{name}” could not be sent. Try again.", values));
  }

  #note(words) {
    this.#notes.push(words);
    this.#handlers.onNote(this.#notes.join(" "));
  }

  #changed() {
    this.#list.replaceChildren(...this.items.map((item) => this.#chip(item)));
    this.#list.hidden = this.items.length === 0;
    this.#handlers.onChange();
  }

  #chip(item) {
    const chip = document.createElement("li");
    chip.className = "chip";
    chip.dataset.state = item.state;
    if (item.preview) {
      const picture = document.createElement("img");
      picture.src = item.preview;
      picture.alt = "";
      chip.append(picture);
    }
    const name = document.createElement("span");
    name.textContent = item.name;
    const size = document.createElement("small");
    size.textContent = sizeName(item.size);
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "remove";
    remove.textContent = "×";
    remove.setAttribute("aria-label", t("Remove {name}", { name: item.name }));
    remove.addEventListener("click", () => {
      this.remove(item);
      document.getElementById("text").focus();
    });
    chip.append(name, size);
    if (item.state === "coming") {
      const bar = document.createElement("progress");
      bar.setAttribute("aria-label", t("Sending {name}", { name: item.name }));
      chip.append(bar);
    }
    chip.append(remove);
    item.element = chip;
    return chip;
  }
}

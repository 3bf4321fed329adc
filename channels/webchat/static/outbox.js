// What the reader has said and the desk has not confirmed yet: sent one by one, in order.

import { Backoff } from "./backoff.js";
import { Refused, storage } from "./session.js";

const KEPT = "ventanilla.chat.outbox";

/** Return a random UUID; `crypto.randomUUID` is missing on plain http. */
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** An item is { id, text, choice?, files, at, state: "sending" | "waiting" | "failed", status? }. */
export class Outbox {
  #session;
  #handlers;
  #store = storage("sessionStorage"); // one per tab: tabs do not send each other's items
  #backoff = new Backoff();
  #draining = false;
  #wake = null;
  items;

  /** `handlers`: onChange(item), onSent(item, seq), onRefused(token). */
  constructor(session, handlers) {
    this.#session = session;
    this.#handlers = handlers;
    this.items = JSON.parse(this.#store.getItem(KEPT) ?? "[]");
  }

  /** `files` are { file, name, size, media_type }: what the desk answered when it took them. */
  add(text, { choice = null, files = [] } = {}) {
    const state = this.items.some((other) => other.state === "waiting") ? "waiting" : "sending";
    const item = { id: newId(), text, choice, files, at: new Date().toISOString(), state };
    this.items.push(item);
    this.#keep();
    this.drain();
    return item;
  }

  retry(item) {
    this.#set(item, "sending");
    this.hurry();
    this.drain();
  }

  remove(item) {
    this.items = this.items.filter((other) => other !== item);
    this.#keep();
  }

  clear() {
    this.items = [];
    this.#keep();
    this.hurry();
  }

  /** Try again now instead of after the wait. */
  hurry() {
    this.#backoff.reset();
    this.#wake?.();
  }

  async drain() {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let item = this.#head(); item; item = this.#head()) await this.#attempt(item);
    } finally {
      this.#draining = false;
    }
  }

  #head() {
    return this.items.find((item) => item.state !== "failed");
  }

  async #attempt(item) {
    if (!navigator.onLine) return this.#wait(item);
    this.#set(item, "sending");
    try {
      const { seq } = item.choice
        ? await this.#session.post("/chat/choices", { id: item.id, choice: item.choice })
        : await this.#session.post("/chat/messages", { id: item.id, text: item.text, files: (item.files ?? []).map(({ file }) => file) });
      this.#backoff.reset();
      if (!this.items.includes(item)) return undefined;
      this.remove(item);
      this.#handlers.onSent(item, seq);
    } catch (error) {
      if (!this.items.includes(item)) return undefined;
      const status = error instanceof Refused ? error.status : null;
      if (status === 401) this.#handlers.onRefused(error.token);
      else if (status !== null && status < 500 && status !== 429) return this.#set(item, "failed", status);
      return this.#wait(item, status === 429 ? error.retryAfter : 0);
    }
    return undefined;
  }

  #wait(item, leastSeconds = 0) {
    this.#set(item, "waiting");
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, leastSeconds * 1000 + this.#backoff.next());
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #set(item, state, status = null) {
    item.state = state;
    item.status = status;
    this.#keep();
    this.#handlers.onChange(item);
  }

  #keep() {
    this.#store.setItem(KEPT, JSON.stringify(this.items));
  }
}

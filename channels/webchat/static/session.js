// The session: its token, where it is kept, and requests made with it.

const TOKEN = "ventanilla.chat.token";

/**
 * The desk answered, and said no. `status` says why, `token` what it was asked with, and
 * `retryAfter` how many seconds to wait before asking again.
 */
export class Refused extends Error {
  constructor(response, token = null) {
    super(`the desk answered ${response.status}`);
    this.status = response.status;
    this.retryAfter = Number.parseInt(response.headers.get("Retry-After"), 10) || 0;
    this.token = token;
  }
}

/** Storage that lasts as long as the browser allows; some forbid it in frames. */
export function storage(kind) {
  try {
    const real = window[kind];
    real.setItem("ventanilla.probe", "1");
    real.removeItem("ventanilla.probe");
    return real;
  } catch {
    const kept = new Map();
    return {
      getItem: (key) => (kept.has(key) ? kept.get(key) : null),
      setItem: (key, value) => kept.set(key, String(value)),
      removeItem: (key) => kept.delete(key),
    };
  }
}

export class Session {
  #store = storage("localStorage");
  #opening = null;

  constructor(language) {
    this.language = language;
  }

  get token() {
    return this.#store.getItem(TOKEN);
  }

  forget() {
    this.#store.removeItem(TOKEN);
  }

  /** Call `changed` when another tab opens or forgets the session. */
  onChange(changed) {
    window.addEventListener("storage", (event) => {
      if (event.key === TOKEN || event.key === null) changed();
    });
  }

  /** Return the token; open a session first where there is none. */
  async open() {
    if (this.token) return this.token;
    this.#opening ??= this.#openNew().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #openNew() {
    const response = await fetch("/chat/sessions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ language: this.language }),
      signal: AbortSignal.timeout(15_000),
    });
    if (!response.ok) throw new Refused(response);
    const { token } = await response.json();
    if (!this.token) this.#store.setItem(TOKEN, token); // another tab may have been first
    return this.token;
  }

  /** Make a request with the token; throw `Refused` unless it succeeds. */
  async request(path, options = {}) {
    const token = await this.open();
    const headers = { Authorization: `Bearer ${token}`, ...options.headers };
    const response = await fetch(path, { cache: "no-store", ...options, headers });
    if (!response.ok) throw new Refused(response, token);
    return response;
  }

  async post(path, body) {
    const response = await this.request(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...body, language: this.language }),
      signal: AbortSignal.timeout(15_000),
    });
    return response.json();
  }

  /** Return every message so far, oldest first. */
  async history() {
    const messages = [];
    let more = true;
    while (more) {
      const after = messages.at(-1)?.seq ?? 0;
      const response = await this.request(`/chat/messages?after=${after}`, {
        signal: AbortSignal.timeout(15_000),
      });
      const page = await response.json();
      messages.push(...page.messages);
      more = page.more;
    }
    return messages;
  }
}

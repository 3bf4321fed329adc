// The live stream: server-sent events read with fetch, so that the token stays out of addresses.

import { Backoff } from "./backoff.js";
import { Refused } from "./session.js";

const SILENCE_MS = 40_000; // the desk says something every 15 seconds

/** Yield the events of an event stream as { id, event, data }. */
export async function* parseEvents(chunks) {
  const decoder = new TextDecoder();
  let rest = "";
  let event = { id: null, event: "message", data: [] };
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    // A "\r" at the end of a chunk may be half of "\r\n": it waits for the next chunk.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (event.data.length) yield { ...event, data: event.data.join("\n") };
        event = { id: null, event: "message", data: [] };
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue; // a comment: the heartbeat
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") event.data.push(value);
      else if (field === "id") event.id = value;
      else if (field === "event") event.event = value;
    }
  }
}

async function* chunksOf(body, onChunk) {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onChunk();
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {}); // the connection is gone either way
  }
}

export class Stream {
  #session;
  #handlers;
  #backoff = new Backoff();
  #abort = null;
  #wake = null;
  #run = null; // names the loop that may go on; null when stopped

  /** `handlers`: lastSeq(), onMessage(message), onState(connected), onRefused(token). */
  constructor(session, handlers) {
    this.#session = session;
    this.#handlers = handlers;
  }

  start() {
    if (this.#run) return;
    this.#run = Symbol("run");
    this.#loop(this.#run);
  }

  stop() {
    this.#run = null;
    this.#abort?.abort();
    this.#wake?.();
  }

  /** Try again now instead of after the wait. */
  hurry() {
    this.#backoff.reset();
    this.#wake?.();
  }

  async #loop(run) {
    while (this.#run === run) {
      try {
        this.#abort = new AbortController();
        await this.#read(this.#abort);
      } catch (error) {
        if (this.#run !== run) return;
        console.warn("chat: the stream broke off:", error.message);
        if (error instanceof Refused && error.status === 401) {
          this.#run = null;
          this.#handlers.onRefused(error.token);
        }
      }
      if (this.#run !== run) return;
      this.#handlers.onState(false);
      await this.#pause(this.#backoff.next());
    }
  }

  async #read(abort) {
    let silence = setTimeout(() => abort.abort(), SILENCE_MS);
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort(), SILENCE_MS);
    };
    try {
      const response = await this.#session.request("/chat/events", {
        headers: { Accept: "text/event-stream", "Last-Event-ID": String(this.#handlers.lastSeq()) },
        signal: abort.signal,
      });
      this.#backoff.reset();
      this.#handlers.onState(true);
      for await (const { event, data } of parseEvents(chunksOf(response.body, heard))) {
        if (abort.signal.aborted) return;
        if (event === "message") this.#handlers.onMessage(JSON.parse(data));
      }
    } finally {
      clearTimeout(silence);
    }
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

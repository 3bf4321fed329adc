// One stream of news for all open tabs. Browsers allow six connections to a server over HTTP/1.1;
// were every tab to hold one, the seventh would load nothing at all. So one tab, the leader, holds
// the stream and passes the news on; when it goes, another takes over where it was.
(() => {
  "use strict";
  const NEWS = "ventanilla-news";
  const RETRY_MS = 2000;

  class Feed {
    constructor(url) {
      const address = new URL(url, location.href);
      this.position = address.searchParams.get("after");
      this.path = address.pathname;
      this.readyState = EventSource.CONNECTING;
      this.listeners = new Map();
      this.ending = new AbortController();
      this.channel = new BroadcastChannel(NEWS);
      this.channel.onmessage = (message) => this.hear(message.data);
      this.begin();
    }

    addEventListener(name, listener) {
      if (!this.listeners.has(name)) this.listeners.set(name, new Set());
      this.listeners.get(name).add(listener);
    }

    removeEventListener(name, listener) {
      this.listeners.get(name)?.delete(listener);
    }

    close() {
      this.readyState = EventSource.CLOSED;
      this.ending.abort();
      this.release?.();
      this.source?.close();
      this.channel.close();
    }

    async begin() {
      if (!navigator.locks) {
        this.lead(); // without locks there is no agreeing on a leader: each tab for itself
        return;
      }
      const held = () => new Promise((release) => { this.release = release; this.lead(); });
      const led = await navigator.locks.request(NEWS, { ifAvailable: true }, (lock) =>
        lock ? held().then(() => true) : false);
      if (led || this.readyState === EventSource.CLOSED) return;
      // The leader may have passed on, before this tab listened, what came after it was rendered.
      this.channel.postMessage({ ask: "state" });
      this.tell("resync");
      navigator.locks.request(NEWS, { signal: this.ending.signal }, held).catch((error) => {
        if (error.name !== "AbortError") throw error;
      });
    }

    lead() {
      if (this.readyState === EventSource.CLOSED) return;
      this.isLeader = true;
      this.source = new EventSource(`${this.path}?after=${encodeURIComponent(this.position)}`);
      this.source.onopen = () => this.pass({ state: "up" });
      this.source.onerror = () => {
        this.pass({ state: "down" });
        if (this.source.readyState === EventSource.CLOSED) setTimeout(() => this.lead(), RETRY_MS);
      };
      this.source.addEventListener("position", (event) => this.pass({ at: event.lastEventId }));
      this.source.addEventListener("queue", (event) =>
        this.pass({ at: event.lastEventId, news: "queue" }));
      this.source.addEventListener("resync", (event) =>
        this.pass({ at: event.lastEventId, news: "resync" }));
      this.source.addEventListener("conversation", (event) =>
        this.pass({ news: `conversation-${event.data}` }));
      this.source.addEventListener("visitors", (event) =>
        this.pass({ news: `visitors-${event.data}` }));
    }

    pass(said) {
      this.hear(said);
      if (this.readyState !== EventSource.CLOSED) this.channel.postMessage(said);
    }

    hear(said) {
      if (said.ask === "state" && this.isLeader && this.readyState === EventSource.OPEN) {
        this.channel.postMessage({ state: "up" });
      }
      if (said.at) this.position = said.at;
      if (said.state === "up" && this.readyState !== EventSource.OPEN) {
        this.readyState = EventSource.OPEN;
        this.onopen?.(new Event("open"));
      } else if (said.state === "down" && this.readyState === EventSource.OPEN) {
        this.readyState = EventSource.CONNECTING;
        this.onerror?.(new Event("error"));
      }
      if (said.news) this.tell(said.news);
    }

    tell(name) {
      const event = new MessageEvent(name, { data: "" });
      for (const listener of [...(this.listeners.get(name) ?? [])]) listener(event);
    }
  }

  htmx.createEventSource = (url) => {
    const feed = new Feed(url);
    addEventListener("pagehide", () => feed.close());
    return feed;
  };
  // A page that comes back from the browser's memory has missed what happened meanwhile.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();

// The chat page: joins the session, the stream, the outbox and the view.

import { Attachments } from "./attachments.js";
import { Backoff } from "./backoff.js";
import { Outbox } from "./outbox.js";
import { Refused, Session, storage } from "./session.js";
import { Stream } from "./stream.js";
import { View } from "./view.js";
import { language, t } from "./words.js";

const TYPING_MS = 20_000; // after that the assistant is late, and the sign would not be true
const DISCONNECTED_MS = 4_000; // shorter breaks are not worth a word
const DRAFT = "ventanilla.chat.draft";
const MAX_BYTES = 900_000; // of a text; the desk takes 1 MiB with everything around it

const byId = (id) => document.getElementById(id);
const isEmbedded = document.documentElement.dataset.embedded === "true" && window.parent !== window;
const [text, send, note, banner] = ["text", "send", "note", "banner"].map(byId);
const [welcome, restart, attach] = ["welcome", "restart", "attach"].map(byId);
// Where typing needs the screen, the keyboard comes when the reader touches the field.
const hasKeyboard = window.matchMedia("(pointer: fine)").matches;
const drafts = storage("sessionStorage");
const pageTitle = document.title;

let lastSeq = 0;
let lastSpeaker = "bot"; // other than the reader
let lastReply = 0; // its sequence number
let typingTimer = null;
let bannerTimer = null;
let unread = 0;
let isShown = true;

const session = new Session(language);
const view = new View({
  onChoice(choice) {
    view.markChosen(choice.id, choice.id);
    say(choice.label, { choice: choice.id });
    returnToText();
  },
  onRetry: (item) => outbox.retry(item),
  onDiscard(item) {
    outbox.remove(item);
    view.discardPending(item);
    showWelcome();
  },
});
const outbox = new Outbox(session, {
  onChange(item) {
    view.updatePending(item);
    if (item.state !== "failed") return;
    if (item.choice && item.status === 409) {
      outbox.remove(item); // answered in another tab: show that answer instead
      view.clear();
      load();
      return;
    }
    if (item.choice) view.markChosen(item.choice, null);
    showNote(t("A message could not be sent."));
  },
  onSent(item, seq) {
    view.settlePending(item, seq);
    showNote("");
    stream.start();
    // With a person at the other end nobody can say that they are writing. A reply that came
    // before this answer did needs no sign either.
    if (lastSpeaker === "bot" && (seq ?? lastReply + 1) > lastReply) expectReply();
  },
  onRefused: leave,
});
const stream = new Stream(session, {
  lastSeq: () => lastSeq,
  onMessage: receive,
  onState: showConnection,
  onRefused: leave,
});

const attachments = attach && new Attachments(
  session,
  { maxFiles: Number(attach.dataset.maxFiles), maxBytes: Number(attach.dataset.maxBytes) },
  { onChange: fitText, onNote: showNote, onRefused: leave },
);

function say(words, { choice = null, files = [] } = {}) {
  const item = outbox.add(words, { choice, files });
  view.showPending(item);
  showWelcome();
}

function receive(message) {
  if (message.seq <= lastSeq) return;
  lastSeq = message.seq;
  if (message.from === "customer") {
    if (view.has(message.seq)) return;
    const own = outbox.items.find((item) => isSame(item, message));
    if (own) {
      view.settlePending(own, message.seq); // the stream was quicker than the answer
      return;
    }
    view.markChosenByLabel(message.text);
  } else {
    lastSpeaker = message.from;
    lastReply = message.seq;
    stopTyping();
    if (document.hidden || !isShown) countUnread(unread + 1);
  }
  view.showMessage(message);
  showWelcome();
}

function isSame(item, message) {
  const names = ({ files = [] }) => files.map(({ name }) => name).join("\n");
  return item.state !== "failed" && item.text === message.text && names(item) === names(message);
}

function expectReply() {
  clearTimeout(typingTimer);
  view.showTyping(true);
  typingTimer = setTimeout(stopTyping, TYPING_MS);
}

function stopTyping() {
  clearTimeout(typingTimer);
  view.showTyping(false);
}

function returnToText() {
  if (hasKeyboard) text.focus();
}

function showWelcome() {
  welcome.hidden = !view.isEmpty;
  restart.hidden = view.isEmpty;
}

function showNote(words) {
  note.textContent = words;
}

function showConnection(connected) {
  if (connected) {
    clearTimeout(bannerTimer);
    bannerTimer = null;
    banner.hidden = true;
    outbox.hurry();
    return;
  }
  bannerTimer ??= setTimeout(() => {
    banner.textContent = navigator.onLine
      ? t("No connection to the service desk. Trying again…")
      : t("You are offline. Messages are sent when you are back.");
    banner.hidden = false;
  }, DISCONNECTED_MS);
}

function countUnread(count) {
  unread = count;
  document.title = count ? `(${count}) ${pageTitle}` : pageTitle;
  if (isEmbedded) window.parent.postMessage({ ventanilla: "unread", count }, "*");
}

/** The desk no longer takes `token`: go on in a new session, with what was not sent yet. */
function leave(token) {
  if (session.token !== token) return; // a late answer; the session is a new one already
  startAfresh();
  showNote(t("The earlier conversation has ended. This is a new one."));
}

function startAfresh() {
  session.forget();
  attachments?.clear(); // they were handed in for the conversation that ends
  stream.stop();
  lastSeq = 0;
  lastReply = 0;
  lastSpeaker = "bot";
  view.clear();
  outbox.items.forEach((item) => view.showPending(item));
  showWelcome();
}

/** Leave the conversation for good. */
function startNew() {
  outbox.clear();
  startAfresh();
  showNote("");
  countUnread(0);
  returnToText();
}

async function load() {
  const backoff = new Backoff();
  while (session.token) {
    try {
      const messages = await session.history();
      view.showHistory(messages);
      lastSeq = messages.at(-1)?.seq ?? 0;
      lastSpeaker = messages.findLast((message) => message.from !== "customer")?.from ?? "bot";
      showConnection(true);
      stream.start();
      break;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        leave(error.token);
        break;
      }
      showConnection(false);
      await new Promise((resolve) => setTimeout(resolve, backoff.next()));
    }
  }
  outbox.items.forEach((item) => view.showPending(item));
  outbox.drain();
  view.setBusy(false);
  showWelcome();
}

function fitText() {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight}px`;
  const words = text.value.trim();
  const isTooLong =
    [...words].length > Number(text.dataset.maxChars) ||
    new TextEncoder().encode(words).length > MAX_BYTES;
  const wasTooLong = text.getAttribute("aria-invalid") === "true";
  text.setAttribute("aria-invalid", String(isTooLong));
  if (isTooLong !== wasTooLong) showNote(isTooLong ? t("This message is too long. Please split it.") : "");
  const files = attachments?.items ?? [];
  send.disabled = (words === "" && files.length === 0) || isTooLong || Boolean(attachments?.isComing);
}

function saveDraft() {
  drafts.setItem(DRAFT, text.value);
}

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (send.disabled) return;
  say(text.value.trim(), { files: attachments?.take() });
  text.value = "";
  showNote("");
  saveDraft();
  fitText();
  text.focus();
});

text.addEventListener("input", () => {
  saveDraft();
  fitText();
});

text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId("composer").requestSubmit();
});

if (attachments) {
  const chosen = byId("chosen");
  attach.addEventListener("click", () => chosen.click());
  chosen.addEventListener("change", () => {
    attachments.add(chosen.files);
    chosen.value = ""; // the same file may be chosen again
    returnToText();
  });
  text.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    attachments.add(event.clipboardData.files);
  });
  const isFiles = (event) => event.dataTransfer?.types.includes("Files");
  const aim = (aimed) => document.body.classList.toggle("aimed", aimed);
  document.addEventListener("dragover", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    aim(true);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && aim(false));
  document.addEventListener("drop", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    aim(false);
    attachments.add(event.dataTransfer.files);
    text.focus();
  });
}

for (const starter of document.querySelectorAll(".starter")) {
  starter.addEventListener("click", () => {
    say(starter.textContent);
    returnToText();
  });
}

byId("link-mail").addEventListener("click", (event) => {
  say(event.currentTarget.dataset.say);
  returnToText();
});

restart.addEventListener("click", () => byId("confirm").showModal());
byId("confirm").addEventListener("close", (event) => {
  if (event.target.returnValue === "confirm") startNew();
  event.target.returnValue = "";
});

window.addEventListener("online", () => {
  stream.hurry();
  outbox.hurry();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  stream.hurry();
  if (isShown) countUnread(0);
});
session.onChange(() => window.location.reload());

// On phones the keyboard covers the page; the visible part is what the chat has to fit into.
window.visualViewport?.addEventListener("resize", () => {
  document.documentElement.style.setProperty("--height", `${window.visualViewport.height}px`);
});

if (isEmbedded) {
  const close = () => window.parent.postMessage({ ventanilla: "close" }, "*");
  byId("close")?.addEventListener("click", close);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !byId("confirm").open) close();
  });
  window.addEventListener("message", (event) => {
    if (event.source !== window.parent) return;
    if (event.data?.ventanilla === "shown") {
      isShown = true;
      countUnread(0);
      returnToText();
    } else if (event.data?.ventanilla === "hidden") {
      isShown = false;
    }
  });
} else {
  byId("close")?.remove();
  returnToText();
}

text.value = drafts.getItem(DRAFT) ?? "";
fitText();
load();

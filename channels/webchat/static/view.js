// The conversation on the screen: one element per message, in order, whatever the order of arrival.

import { isPicture, sizeName } from "./files.js";
import { language, region, t } from "./words.js";

const GROUP_MS = 5 * 60_000;
const NEAR_END_PX = 120;
const ABOVE_PX = 12; // between the top of the screen and the message scrolled to
const BURST_MS = 2_000; // messages closer together than this are one reply
const NOT_YET = Number.MAX_SAFE_INTEGER; // the place of what the desk has not confirmed

const clock = new Intl.DateTimeFormat(region, { hour: "numeric", minute: "2-digit" });
const moment = new Intl.DateTimeFormat(region, { dateStyle: "full", timeStyle: "short" });
const day = new Intl.DateTimeFormat(region, { weekday: "long", day: "numeric", month: "long" });
const dayOfYear = new Intl.DateTimeFormat(region, { dateStyle: "long" });
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });

const SPEAKERS = {
  customer: t("You"),
  bot: t("Assistant"),
  agent: t("Service desk"),
  system: t("Notice"),
};

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function dayName(date) {
  const midnight = (of) => new Date(of.getFullYear(), of.getMonth(), of.getDate());
  const today = new Date();
  const days = Math.round((midnight(date) - midnight(today)) / 86_400_000);
  if (days === 0 || days === -1) {
    const name = relative.format(days, "day");
    return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
  }
  return (date.getFullYear() === today.getFullYear() ? day : dayOfYear).format(date);
}

export class View {
  #log = document.getElementById("log");
  #scroller = document.getElementById("scroller");
  #typing = document.getElementById("typing");
  #toEnd = document.getElementById("to-end");
  #handlers;
  #pending = new Map(); // id of an outbox item -> its element
  #atEnd = true;
  #burst = { first: null, at: 0 }; // the reply that is coming in

  /** `handlers`: onChoice(choice, message), onRetry(item), onDiscard(item). */
  constructor(handlers) {
    this.#handlers = handlers;
    this.#toEnd.addEventListener("click", () => this.scrollToEnd());
    let lastTop = 0;
    this.#scroller.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
      // Only a move upwards leaves the end: on its way down a smooth scroll is not there yet.
      if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) this.#atEnd = true;
      else if (scrollTop < lastTop) this.#atEnd = false;
      if (this.#atEnd) this.#toEnd.hidden = true;
      lastTop = scrollTop;
    });
    new ResizeObserver(() => this.#atEnd && this.scrollToEnd("instant")).observe(this.#scroller);
  }

  get isEmpty() {
    return this.#log.childElementCount === 0;
  }

  clear() {
    this.#log.replaceChildren();
    this.#pending.clear();
    this.#toEnd.hidden = true;
    this.showTyping(false);
  }

  setBusy(busy) {
    this.#log.setAttribute("aria-busy", String(busy));
  }

  has(seq) {
    return this.#log.querySelector(`[data-seq="${Number(seq)}"]`) !== null;
  }

  /** Show many messages at once, without scrolling past them one by one. */
  showHistory(messages) {
    for (const message of messages) this.#insert(this.#build(message), message.seq);
    this.#arrange();
    this.scrollToEnd("instant");
  }

  showMessage(message) {
    const made = this.#build(message);
    this.#insert(made, message.seq);
    this.#arrange();
    this.#follow(made);
  }

  showPending(item) {
    const made = this.#build({ from: "customer", text: item.text, at: item.at, files: item.files });
    this.#pending.set(item.id, made);
    this.#insert(made, NOT_YET);
    this.updatePending(item);
    this.#arrange();
    this.scrollToEnd();
  }

  /** Show the delivery state of `item`. */
  updatePending(item) {
    const made = this.#pending.get(item.id);
    if (!made) return;
    made.dataset.state = item.state;
    const delivery = made.querySelector(".delivery");
    if (item.state === "sending") {
      delivery.replaceChildren(t("Sending…"));
    } else if (item.state === "waiting") {
      delivery.replaceChildren(
        navigator.onLine ? t("Not sent yet. Trying again…") : t("Waiting for a connection"),
        this.#action(t("Retry"), () => this.#handlers.onRetry(item)),
      );
    } else {
      const isFileGone = item.status === 404 && item.files?.length;
      const reason =
        item.status === 413
          ? t("Not sent: too long.")
          : isFileGone
            ? t("Not sent: the desk no longer has the files. Attach them again.")
            : t("Not sent.");
      delivery.replaceChildren(
        reason,
        this.#action(t("Retry"), () => this.#handlers.onRetry(item)),
        this.#action(t("Discard"), () => this.#handlers.onDiscard(item)),
      );
    }
  }

  /** Give a pending message the place the desk gave it; without one, the stream will show it. */
  settlePending(item, seq) {
    const made = this.#pending.get(item.id);
    if (!made) return;
    this.#pending.delete(item.id);
    if (seq === null || this.has(seq)) {
      made.remove();
    } else {
      made.dataset.state = "sent";
      made.querySelector(".delivery").replaceChildren(t("Sent"));
      this.#insert(made, seq);
    }
    this.#arrange();
  }

  discardPending(item) {
    this.#pending.get(item.id)?.remove();
    this.#pending.delete(item.id);
    this.#arrange();
  }

  /** Show which button of a group was pressed; null frees the group again. */
  markChosen(choiceId, chosen) {
    const button = this.#log.querySelector(`button[data-choice="${CSS.escape(choiceId)}"]`);
    if (button) this.#closeGroup(button.closest(".choices"), chosen);
  }

  /** A press in another tab arrives as a message with the button's words. */
  markChosenByLabel(label) {
    const group = [...this.#log.querySelectorAll(".choices")].at(-1);
    const button = [...(group?.querySelectorAll("button:enabled") ?? [])].find(
      (candidate) => candidate.textContent === label,
    );
    if (button) this.#closeGroup(group, button.dataset.choice);
  }

  showTyping(shown) {
    if (this.#typing.hidden === !shown) return;
    this.#typing.hidden = !shown;
    if (shown && this.#atEnd) this.scrollToEnd();
  }

  scrollToEnd(behavior = "auto") {
    this.#toEnd.hidden = true;
    this.#atEnd = true;
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior });
  }

  /** Keep the end in sight, but never scroll past the beginning of a long reply. */
  #follow(made) {
    const now = performance.now();
    const first = now - this.#burst.at < BURST_MS && this.#burst.first?.isConnected;
    this.#burst = { first: first ? this.#burst.first : made, at: now };
    const top = this.#burst.first.offsetTop - this.#scroller.offsetTop - ABOVE_PX;
    const end = this.#scroller.scrollHeight - this.#scroller.clientHeight;
    if (this.#atEnd && end - top < NEAR_END_PX) {
      this.scrollToEnd();
      return;
    }
    if (this.#atEnd) this.#scroller.scrollTo({ top });
    this.#atEnd = false;
    this.#toEnd.hidden = false;
  }

  #build(message) {
    const at = new Date(message.at);
    const speaker = message.name || SPEAKERS[message.from];
    const time = element("time", "", clock.format(at));
    time.dateTime = message.at;
    time.title = moment.format(at);
    const bubble = element("div", "bubble");
    bubble.dir = "auto";
    if (message.html) {
      // The desk sends sanitised HTML; the page's content security policy is the second lock.
      bubble.append(...new DOMParser().parseFromString(message.html, "text/html").body.childNodes);
    } else {
      bubble.textContent = message.text;
    }
    const content = element("div", "content", element("div", "name", speaker));
    if (message.text || !message.files?.length) content.append(bubble);
    if (message.files?.length) content.append(this.#files(message.files));
    if (message.choices?.length) content.append(this.#choices(message));
    content.append(element("div", "foot", time, element("span", "delivery")));
    const made = element("article", `message from-${message.from}`);
    if (message.from === "bot" || message.from === "agent") {
      const avatar = element("span", `avatar ${message.from}`);
      avatar.setAttribute("aria-hidden", "true");
      if (message.from === "agent") avatar.textContent = [...speaker][0].toLocaleUpperCase(language);
      made.append(avatar);
    }
    made.append(content);
    made.dataset.at = String(at.getTime());
    made.dataset.speaker = `${message.from}/${message.name ?? ""}`;
    return made;
  }

  #files(files) {
    const list = element("ul", "files");
    for (const file of files) {
      const shown = element(file.url ? "a" : "span", "file", element("span", "", file.name), element("small", "", sizeName(file.size)));
      if (file.url) {
        shown.href = file.url;
        shown.target = "_blank";
        shown.rel = "noopener";
      }
      if (isPicture(file.media_type)) this.#preview(shown, file.preview ?? file.url);
      list.append(element("li", "", shown));
    }
    return list;
  }

  #preview(shown, address) {
    if (!address) return;
    const picture = element("img", "picture");
    picture.alt = "";
    picture.loading = "lazy";
    picture.addEventListener("load", () => this.#atEnd && this.scrollToEnd("instant"));
    picture.addEventListener("error", () => picture.remove()); // gone: the name remains
    picture.src = address;
    shown.prepend(picture);
  }

  #choices(message) {
    const group = element("div", "choices");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", t("Answers to choose from"));
    for (const choice of message.choices) {
      const button = element("button", "choice", choice.label);
      button.type = "button";
      button.dataset.choice = choice.id;
      button.addEventListener("click", () => this.#handlers.onChoice(choice));
      group.append(button);
    }
    if (message.chosen) this.#closeGroup(group, message.chosen);
    return group;
  }

  #closeGroup(group, chosen) {
    for (const button of group.querySelectorAll("button")) {
      button.disabled = chosen !== null;
      button.classList.toggle("chosen", button.dataset.choice === chosen);
      if (chosen === null) button.removeAttribute("aria-pressed");
      else button.setAttribute("aria-pressed", String(button.dataset.choice === chosen));
    }
  }

  #action(label, run) {
    const button = element("button", "link", label);
    button.type = "button";
    button.addEventListener("click", run);
    return button;
  }

  #insert(made, seq) {
    made.dataset.seq = seq === NOT_YET ? "" : String(seq);
    const place = (other) => (other.dataset.seq === "" ? NOT_YET : Number(other.dataset.seq));
    let before = null;
    let other = this.#log.lastElementChild;
    for (; other; other = other.previousElementSibling) {
      if (other === made || !other.classList.contains("message")) continue;
      if (place(other) <= seq) break;
      before = other;
    }
    if (made.parentElement && made.nextElementSibling === before) return; // stays where it is
    if (before?.previousElementSibling?.classList.contains("day")) before = before.previousElementSibling;
    this.#log.insertBefore(made, before);
  }

  /** Put day lines between messages and join successive messages of one speaker. */
  #arrange() {
    let previous = null;
    let lastOwn = null;
    for (const made of [...this.#log.children]) {
      if (!made.classList.contains("message")) continue;
      const at = new Date(Number(made.dataset.at));
      const isNewDay =
        previous === null || new Date(Number(previous.dataset.at)).toDateString() !== at.toDateString();
      this.#arrangeDay(made, isNewDay ? dayName(at) : null);
      const follows =
        !isNewDay &&
        made.dataset.speaker === previous.dataset.speaker &&
        at - Number(previous.dataset.at) < GROUP_MS;
      made.classList.toggle("follows", follows);
      previous?.classList.toggle("precedes", follows);
      made.classList.remove("precedes", "last-own");
      if (made.classList.contains("from-customer")) lastOwn = made;
      previous = made;
    }
    if (lastOwn && lastOwn === previous) lastOwn.classList.add("last-own");
  }

  #arrangeDay(made, name) {
    const above = made.previousElementSibling;
    const line = above?.classList.contains("day") ? above : null;
    if (name === null) line?.remove();
    else if (line === null) made.before(element("div", "day", element("span", "", name)));
    else if (line.textContent !== name) line.firstElementChild.textContent = name;
  }
}

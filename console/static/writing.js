// What an agent writes in a ticket: drafts that the desk keeps, replies that can be taken back.
(() => {
  "use strict";
  const by = (id) => document.getElementById(id);
  const composer = by("composer");
  if (!composer) return;
  const SAVE_AFTER_MS = 700;
  const RETRY_MS = 5000;
  const text = by("text");
  const state = by("draft-state");
  const modes = composer.elements.mode;
  const url = `/console/conversations/${composer.dataset.conversation}/drafts`;
  const left = `unsaved-${composer.dataset.conversation}`;
  const { enclosed, addressing } = composer; // of the scripts before this one

  // Replies and notes are drafts of their own; the desk has the last of each that was saved.
  const drafts = JSON.parse(composer.dataset.drafts);
  let mode = modes.value;
  let seen = null;

  const typed = () => ({
    text: text.value,
    files: enclosed?.list() ?? [],
    envelope: mode === "reply" ? addressing?.values() ?? null : null,
    seen,
  });
  const body = (draft) => JSON.stringify({ ...draft, files: draft.files.map((file) => file.id) });
  const blank = () => ({ text: "", files: [], envelope: null, seen: null });
  const saved = Object.fromEntries(
    ["reply", "note"].map((kind) => [kind, body(drafts[kind] ?? blank())]));

  // Where only one kind can be written, it is that one.
  const turnTo = (kind) => {
    const wanted = by(`mode-${kind}`);
    const radio = wanted && !wanted.disabled ? wanted : by("mode-note");
    radio.checked = true;
    mode = radio.value;
  };
  const show = (draft = blank()) => {
    text.value = draft.text;
    enclosed?.put(draft.files);
    if (mode === "reply" && draft.envelope) addressing?.put(draft.envelope);
    seen = draft.seen;
    text.placeholder = text.dataset[mode];
  };

  const say = (words, bad = false) => {
    state.textContent = words;
    state.classList.toggle("bad", bad);
  };

  // One save at a time: the desk keeps the last that comes, and that has to be the latest.
  let saving = Promise.resolve();
  let timer = 0;
  const put = (kind, draft, options = {}) => fetch(`${url}/${kind}`, {
    method: "PUT",
    body: draft,
    headers: { "Content-Type": "application/json", "X-CSRF-Token": composer.dataset.csrf },
    ...options,
  });
  const save = (kind) => {
    saving = saving.then(async () => {
      const draft = body(drafts[kind] ?? blank());
      if (saved[kind] === draft) return;
      try {
        const answer = await put(kind, draft);
        if (!answer.ok) throw new Error(answer.statusText);
        saved[kind] = draft;
        say(kind === mode && (text.value || enclosed?.list().length) ? state.dataset.saved : "");
      } catch {
        say(state.dataset.failed, true);
        clearTimeout(timer);
        timer = setTimeout(flush, RETRY_MS);
      }
    });
    return saving;
  };
  const flush = () => {
    clearTimeout(timer);
    drafts[mode] = typed();
    return save(mode);
  };
  const lastSeq = () => Math.max(0, ...[...document.querySelectorAll("#messages [data-seq]")]
    .map((message) => Number(message.dataset.seq)));
  const changed = () => {
    // What had been said when this was begun: whoever answered later may not have been read.
    if (!text.value && !enclosed?.list().length) seen = null;
    else seen ??= lastSeq();
    clearTimeout(timer);
    timer = setTimeout(flush, SAVE_AFTER_MS);
  };

  // While a reply is taken back nothing is saved: a draft would replace what the desk puts before it.
  let begun = null; // what the drafts were when that began
  let goOn = null;
  const halt = () => {
    begun = { reply: drafts.reply ?? blank(), note: drafts.note ?? blank() };
    saving = saving.then(() => new Promise((resolve) => { goOn = resolve; }));
  };
  const resume = () => {
    begun = null;
    goOn?.();
    goOn = null;
  };
  // The draft that the desk keeps, with what was typed here since `before`.
  const joined = (kept, before, now) => {
    const old = before.text.trim();
    const words = old && kept.text.endsWith(old)
      ? kept.text.slice(0, -old.length) + now.text
      : [kept.text, now.text].filter(Boolean).join("\n\n");
    const has = (file) => kept.files.some((other) => other.id === file.id);
    return {
      ...kept,
      text: now.text === before.text ? kept.text : words,
      files: [...kept.files, ...now.files.filter((file) => !has(file))],
    };
  };

  // What a page took along unsaved comes back with it, of every kind that was begun.
  addEventListener("pagehide", () => {
    drafts[mode] = typed();
    const taken = {};
    for (const kind of Object.keys(saved)) {
      const draft = drafts[kind] ?? blank();
      if (saved[kind] === body(draft)) continue;
      taken[kind] = { draft, before: begun?.[kind] };
      if (begun) continue;
      put(kind, body(draft), { keepalive: true }).catch(() => {}); // the page is gone: the next one has it
    }
    if (Object.keys(taken).length) sessionStorage.setItem(left, JSON.stringify({ mode, taken }));
  });
  const unsaved = JSON.parse(sessionStorage.getItem(left) ?? "null");
  sessionStorage.removeItem(left);
  // A page of an earlier release took along the text of one mode alone.
  const taken = unsaved ? (unsaved.taken ?? { [unsaved.mode]: unsaved }) : {};
  const early = text.value !== text.defaultValue; // somebody typed before this script was there
  for (const [kind, { draft, before }] of Object.entries(taken)) {
    drafts[kind] = before ? joined(drafts[kind] ?? blank(), before, draft) : draft;
  }
  if (early) {
    drafts[mode] = { ...blank(), ...drafts[mode], text: text.value };
  } else if (unsaved) {
    turnTo(unsaved.mode);
  } else if (!drafts.reply && drafts.note) {
    turnTo("note");
  }
  if (early) text.placeholder = text.dataset[mode];
  else show(drafts[mode]);
  for (const kind of Object.keys(taken)) if (kind !== mode) save(kind);
  if (early || unsaved) flush();

  text.addEventListener("input", changed);
  composer.addEventListener("typed", changed);
  composer.addEventListener("change", (event) => {
    if (event.target.name !== "mode") return;
    flush();
    mode = modes.value;
    say("");
    show(drafts[mode]);
    text.focus();
  });

  let sent = "";
  let sentMode = mode;
  composer.addEventListener("htmx:configRequest", (event) => {
    if (event.target === composer) event.detail.parameters.seen = seen ?? lastSeq();
  });
  composer.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target !== composer) return;
    sent = text.value;
    sentMode = mode;
  });
  document.body.addEventListener("said", () => {
    // Only what was sent goes: who typed on while it went out keeps that.
    if (mode === sentMode) {
      if (text.value.startsWith(sent)) text.value = text.value.slice(sent.length).trimStart();
    } else {
      drafts[sentMode] = blank();
      save(sentMode);
    }
    seen = null;
    flush();
    if (sentMode === "note" && mode === "note" && !text.value) {
      turnTo("reply");
      show(drafts[mode]);
    }
    by("notice").replaceChildren();
    by("collision").replaceChildren();
    const messages = by("messages");
    if (messages) messages.scrollTop = messages.scrollHeight;
    text.focus();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      composer.requestSubmit(mode === "note" ? by("save-note") : by("send"));
    }
  });

  // A ticket may end, or begin again, while its page is open: a reply begun waits as its draft.
  const follow = () => {
    const reply = by("mode-reply");
    const isOver = by("ended")?.dataset.notesOnly === "yes";
    if (!reply || reply.disabled === isOver) return;
    flush();
    reply.disabled = isOver;
    reply.closest("label").hidden = isOver;
    if (isOver || !text.value) turnTo(isOver ? "note" : "reply");
    show(drafts[mode]);
  };
  document.body.addEventListener("htmx:afterSettle", follow);

  // A reply that is taken back stands before what was typed since: that has to be saved first.
  document.body.addEventListener("htmx:confirm", (event) => {
    if (!event.target.matches(".take-back")) return;
    event.preventDefault();
    const form = event.target;
    flush().then(() => {
      if (form.isConnected) {
        halt();
        // Heard at the form itself: news may take it out of the page before the answer is there.
        form.addEventListener("htmx:afterRequest", ({ detail }) => (detail.successful ? takenBack() : resume()), { once: true });
        return event.detail.issueRequest(true);
      }
      // The messages were shown anew meanwhile: the same form stands there once more.
      [...document.querySelectorAll(".take-back")]
        .find((other) => other.action === form.action)?.requestSubmit();
    });
  });
  // What the desk keeps; null where asking again would not help, as for who is signed out by now.
  const kept = async () => {
    for (;;) {
      const answer = await fetch(url).catch(() => null);
      if (answer?.ok) return answer.json().catch(() => null);
      if (answer && answer.status < 500 && answer.status !== 429) return null;
      say(state.dataset.failed, true);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  };
  const takenBack = async () => {
    const known = await kept();
    if (!known) {
      location.reload(); // it says what is the matter; what was typed goes along, as on any leave
      return;
    }
    drafts[mode] = typed();
    for (const kind of ["reply", "note"]) {
      const draft = known[kind] ?? blank();
      saved[kind] = body(draft);
      drafts[kind] = joined(draft, begun[kind], drafts[kind] ?? blank());
    }
    turnTo("reply");
    show(drafts[mode]);
    resume();
    save("note");
    flush();
    text.focus();
    text.setSelectionRange(text.value.length, text.value.length);
  };

  // How long a reply can still be taken back. Its place in the page stays, so does its clock.
  const ends = new WeakMap();
  const count = () => {
    for (const shown of document.querySelectorAll(".countdown")) {
      const known = ends.get(shown);
      if (known?.left !== shown.dataset.left) {
        ends.set(shown, { left: shown.dataset.left, at: performance.now() + shown.dataset.left * 1000 });
      }
      const seconds = Math.ceil((ends.get(shown).at - performance.now()) / 1000);
      shown.textContent = seconds > 0
        ? shown.dataset.in.replace("{seconds}", seconds)
        : shown.dataset.soon;
    }
  };
  setInterval(count, 250);
})();

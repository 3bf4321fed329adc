// The chat on any other site: a button in a corner and the desk's chat page in a frame.
//
// <script src="https://desk.example/chat/widget.js" data-language="es" async></script>
// data-language: one that the desk speaks; without it the visitor's browser decides.
// data-position: "right" (default) or "left".
// The page may call Ventanilla.open(), .close() and .toggle().

(() => {
  "use strict";
  if (window.Ventanilla) return; // included twice

  const script = document.currentScript;
  const desk = new URL(script.src, document.baseURI).origin;
  const translations = {
    en: { open: "Open help chat", close: "Close help chat", title: "Help chat", unread: "new messages" },
    es: { open: "Abrir el chat de ayuda", close: "Cerrar el chat de ayuda", title: "Chat de ayuda", unread: "mensajes nuevos" },
  };
  const language = (script.dataset.language || navigator.language).slice(0, 2).toLowerCase();
  const isLeft = script.dataset.position === "left";
  const words = Object.hasOwn(translations, language) ? translations[language] : translations.en;

  const style = `
    :host { all: initial; color-scheme: light dark; }
    * { box-sizing: border-box; }
    button { position: fixed; bottom: calc(20px + env(safe-area-inset-bottom)); ${isLeft ? "left" : "right"}: 20px; z-index: 2147483000;
      display: grid; place-items: center; width: 56px; height: 56px; padding: 0; border: 0; border-radius: 50%;
      background: #0b6b62; color: #fff; cursor: pointer; box-shadow: 0 4px 18px rgb(0 0 0 / 28%); }
    button:hover { background: #09574f; }
    button:focus-visible { outline: 3px solid #0b6b62; outline-offset: 3px; box-shadow: 0 0 0 3px #fff; }
    svg { width: 28px; height: 28px; fill: none; stroke: currentcolor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    .count { position: absolute; top: -4px; right: -4px; min-width: 22px; height: 22px; padding: 0 6px; border-radius: 11px;
      background: #b3261e; color: #fff; font: 700 13px/22px system-ui, sans-serif; text-align: center; }
    [hidden] { display: none !important; }
    .panel { position: fixed; bottom: calc(88px + env(safe-area-inset-bottom)); ${isLeft ? "left" : "right"}: 20px; z-index: 2147483000;
      width: min(400px, calc(100vw - 40px)); height: min(640px, calc(100dvh - 112px)); border-radius: 16px; overflow: hidden;
      background: Canvas; box-shadow: 0 12px 48px rgb(0 0 0 / 30%), 0 0 0 1px rgb(0 0 0 / 8%); }
    iframe { display: block; width: 100%; height: 100%; border: 0; color-scheme: light dark; }
    @media (max-width: 480px), (max-height: 420px) {
      .panel { inset: 0; width: 100%; height: 100dvh; border-radius: 0; }
      .is-open button { display: none; }
    }
    @media (prefers-reduced-motion: no-preference) {
      .panel { animation: rise .16s ease-out; }
      @keyframes rise { from { opacity: 0; transform: translateY(12px); } }
    }`;

  const make = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const icon = (...paths) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    for (const d of paths) {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", d);
      svg.append(path);
    }
    return svg;
  };

  const host = make("ventanilla-chat", {});
  const root = host.attachShadow({ mode: "closed" });
  // A constructed style sheet is not inline style: sites that forbid inline style take it.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];

  const speech = icon("M4 5h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-8l-5 4v-4H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1z");
  const arrow = icon("M6 9l6 6 6-6");
  const count = make("span", { class: "count", hidden: "", "aria-hidden": "true" });
  const button = make("button", { type: "button", "aria-haspopup": "dialog", "aria-expanded": "false" }, speech, count);
  button.setAttribute("aria-label", words.open);
  const panel = make("div", { class: "panel", role: "dialog", "aria-label": words.title, hidden: "" });
  const box = make("div", {}, panel, button);
  root.append(box);
  let frame = null;

  const tell = (what) => frame.contentWindow.postMessage({ ventanilla: what }, desk);
  const isOpen = () => !panel.hidden;

  const showCount = (unread) => {
    count.textContent = unread > 99 ? "99+" : String(unread);
    count.hidden = unread === 0 || isOpen();
    const label = isOpen() ? words.close : words.open;
    button.setAttribute("aria-label", count.hidden ? label : `${label}: ${unread} ${words.unread}`);
  };

  const open = () => {
    if (isOpen()) return;
    panel.hidden = false;
    box.classList.add("is-open");
    button.setAttribute("aria-expanded", "true");
    speech.replaceWith(arrow);
    showCount(0);
    if (frame) {
      frame.focus();
      tell("shown");
      return;
    }
    frame = make("iframe", { title: words.title, src: `${desk}/chat?embedded=1&lang=${encodeURIComponent(language)}` });
    frame.addEventListener("load", () => {
      if (!isOpen()) return;
      frame.focus();
      tell("shown");
    });
    panel.append(frame);
  };

  const close = () => {
    if (!isOpen()) return;
    panel.hidden = true;
    box.classList.remove("is-open");
    button.setAttribute("aria-expanded", "false");
    arrow.replaceWith(speech);
    showCount(0);
    tell("hidden");
    button.focus();
  };

  const toggle = () => (isOpen() ? close() : open());

  button.addEventListener("click", toggle);
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  window.addEventListener("message", (event) => {
    if (!frame || event.origin !== desk || event.source !== frame.contentWindow) return;
    if (event.data?.ventanilla === "close") close();
    else if (event.data?.ventanilla === "unread") showCount(Number(event.data.count) || 0);
  });

  const attach = () => document.body.append(host);
  if (document.body) attach();
  else document.addEventListener("DOMContentLoaded", attach);

  window.Ventanilla = Object.freeze({ open, close, toggle });
})();

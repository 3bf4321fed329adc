// Says that the agent is here and what they are writing, and shows which colleagues are.
(() => {
  "use strict";
  const box = document.getElementById("visitors");
  const pane = box?.closest("[data-conversation]");
  if (!pane) return;
  const composer = document.getElementById("composer");
  const AGAIN_MS = 20_000;
  const WRITING_MS = 4_000;
  const PAUSE_MS = 6_000;
  const typing = document.getElementById("typing-now");

  const come = () => { if (!document.hidden) htmx.trigger(box, "come"); };
  const leave = () => {
    const headers = { "X-CSRF-Token": box.dataset.csrf };
    fetch(`/console/conversations/${pane.dataset.conversation}/leave`, { method: "POST", headers, keepalive: true })
      .catch(() => {}); // it is forgotten by itself
  };
  setInterval(come, AGAIN_MS);
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : come()));
  addEventListener("pagehide", () => { if (!document.hidden) leave(); });

  // While words come, it is said again every few seconds; a pause ends it.
  let said = 0;
  let pause = 0;
  const stop = () => {
    clearTimeout(pause);
    if (!typing.value) return;
    typing.value = "";
    said = 0;
    come();
  };
  composer?.addEventListener("input", (event) => {
    if (event.target.id !== "text") return;
    const kind = composer.elements.mode.value;
    clearTimeout(pause);
    pause = setTimeout(stop, PAUSE_MS);
    if (typing.value === kind && performance.now() - said < WRITING_MS) return;
    typing.value = kind;
    said = performance.now();
    come();
  });
  document.body.addEventListener("said", stop);
})();

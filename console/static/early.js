// A press that comes before the page's scripts waits for them, instead of loading the page anew.
// Not deferred, so that it is there before the first form: it must stay as small as it is.
(() => {
  "use strict";
  const pressed = new Map(); // the button of each form: who presses twice means it once
  const hold = (event) => {
    if (!event.target.matches("[hx-post]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    pressed.set(event.target, event.submitter);
  };
  const release = () => {
    removeEventListener("submit", hold, { capture: true });
    for (const [form, button] of pressed) {
      // Clicked anew, since htmx learns from the click which button it was.
      if (form.isConnected) button?.isConnected ? button.click() : form.requestSubmit();
      if (!window.htmx) break; // the browser leaves the page with it
    }
    pressed.clear();
  };
  addEventListener("submit", hold, { capture: true });
  // htmx says so once it knows the page's forms; if it never comes, the browser sends them.
  document.addEventListener("htmx:load", release, { once: true });
  addEventListener("load", () => { if (!window.htmx) release(); });
})();

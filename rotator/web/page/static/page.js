// Where scripts run, parts of the page refresh themselves when something has changed. Without this file the page says
// the same and is reloaded by hand. It fetches the page that is shown, from where it came, and puts in the parts that
// are marked `data-live`, unless somebody is just using one of them.
"use strict";

(() => {
  const main = document.querySelector("main[data-events]");
  if (!main || !window.EventSource) return;
  let digest = main.dataset.events;
  let source = null;
  let running = false;
  let again = false;

  const live = (on) => document.querySelectorAll(".live").forEach((one) => { one.hidden = !on; });

  const busy = (part) => part.contains(document.activeElement) &&
    document.activeElement.matches("input, select, textarea, button");

  async function refresh() {
    if (running) { again = true; return; }
    running = true;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", headers: { accept: "text/html" } });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const parts = new Map([...fresh.querySelectorAll("[data-live]")].map((one) => [one.id, one]));
      for (const old of document.querySelectorAll("[data-live]")) {
        const now = parts.get(old.id);
        if (now && !busy(old) && now.innerHTML !== old.innerHTML) {
          const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
          old.replaceChildren(...now.childNodes);
          if (focused) [...old.querySelectorAll("a")].find((one) => one.getAttribute("href") === focused)?.focus();
        }
        if (!now) old.replaceChildren();
        parts.delete(old.id);
      }
      // A part that was not there before, such as the box that needs a person: show the page anew, unless it is in use.
      if (parts.size && !busy(main)) location.reload();
      document.title = fresh.title;
      live(true);
    } catch { live(false); } finally {
      running = false;
      if (again) { again = false; refresh(); }
    }
  }

  function open() {
    if (source || document.hidden) return;
    source = new EventSource("/events");
    source.addEventListener("look", (event) => {
      live(true);
      if (event.data !== digest) { digest = event.data; refresh(); }
    });
    source.onerror = () => live(false);
  }

  function close() { source?.close(); source = null; live(false); }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  open();
})();

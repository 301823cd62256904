// Everything works without this file. With it the page notices by itself what happens in another window.
"use strict";
(() => {
  const page = document.getElementById("settings");
  if (!page) return;
  const { base, version, state, waiting } = page.dataset;
  const goes = waiting !== undefined || state === "leaving";
  let busy = false;

  // Loads the page again when it would show something else.
  const look = async () => {
    if (busy || document.hidden) return;
    busy = true;
    try {
      const answer = await fetch(`${base}/settings/state`, { credentials: "same-origin", cache: "no-store" });
      if (answer.status === 403 || (answer.ok && (await answer.text()) !== version)) {
        location.replace(`${base}/settings`);
      }
    } catch {
      // No answer now; the next look comes.
    } finally {
      busy = false;
    }
  };
  const mayGo = state === "new" || state === "dead";
  setInterval(look, goes ? 2000 : mayGo ? 5000 : 30000);
  addEventListener("focus", look);
  document.addEventListener("visibilitychange", look);

  // Of a double click on a link to a sign-in, which works once, the first click is meant.
  for (const link of document.querySelectorAll("a[href*='/signin?']")) {
    link.addEventListener("click", (event) => event.detail > 1 && event.preventDefault());
  }

  // The sign-in opens in a window of its own; this one waits for it.
  for (const link of document.querySelectorAll("a[target=_blank][href*='/signin?']")) {
    link.addEventListener("click", () => setTimeout(() => location.replace(`${base}/settings?waiting=1`), 400));
  }

  // A second press of a button does nothing a first one did not do.
  for (const form of document.querySelectorAll("form")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  }
})();

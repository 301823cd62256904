// Without this everything works as well; it only spares whoever writes an event from loading the page again.

// Signed in in another window: the button becomes "Add Teams", and what is typed stays.
addEventListener("focus", async () => {
  const signIn = document.getElementById("sign-in");
  const add = document.getElementById("add-teams");
  if (!signIn || signIn.hidden || !add) return;
  try {
    const answer = await fetch("/teams/button");
    if (answer.ok && (await answer.text()) === "ready") {
      signIn.hidden = true;
      add.hidden = false;
      document.querySelector("#teams .hint")?.remove();
    }
  } catch {
    // The webmail has stopped; the link stays.
  }
});

// On its way: looks again until the event has arrived, and shows its state and its link.
const look = setInterval(async () => {
  const state = document.getElementById("state");
  if (!state?.matches(".pending, .sign-in-needed, .admin-needed")) return clearInterval(look);
  try {
    const answer = await fetch(location.pathname);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const news = page.getElementById("state");
    if (!answer.ok || news?.className === state.className) return;
    for (const part of ["state", "teams"]) {
      const [old, fresh] = [document.getElementById(part), page.getElementById(part)];
      if (old && fresh) old.replaceWith(fresh);
    }
  } catch {
    // Next time.
  }
}, 2000);

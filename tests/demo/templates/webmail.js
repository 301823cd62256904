// Without this everything works as well; it only spares people from loading a page again.

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

// On its way: looks again until the events have arrived, and shows how they stand; a form stays as it is typed.
const look = setInterval(async () => {
  if (!document.querySelector("[data-waiting]")) return clearInterval(look);
  try {
    const answer = await fetch(location.pathname);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const changed = (id) => document.getElementById(id)?.textContent !== page.getElementById(id)?.textContent;
    for (const id of changed("state") ? ["state", "teams"] : changed("events") ? ["events"] : []) {
      const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
      if (old && fresh) old.replaceWith(fresh);
    }
  } catch {
    // Next time.
  }
}, 2000);

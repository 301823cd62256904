// Without this everything works as well. It only spares a click to whoever signed in in another window while writing here.
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

// Counts anew what a form would reach while it is filled in: sends it as the button to count does, which is there
// where scripts are not, and shows what the answer says. In the head, so that the button is gone before it is drawn.
document.documentElement.dataset.scripts = "on";
const PAUSE = 300; // milliseconds without a change
let waiting;
let asked = new AbortController();

async function count(form) {
  asked.abort();
  asked = new AbortController();
  const body = new URLSearchParams(new FormData(form));
  body.set("count", "on");
  const answer = await fetch(form.action, { method: "POST", body, signal: asked.signal });
  const said = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("reach");
  if (said) document.getElementById("reach").textContent = said.textContent;
}

document.addEventListener("input", (event) => {
  if (!event.target.closest("[data-counted]")) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => count(event.target.form).catch(() => {}), PAUSE);
});

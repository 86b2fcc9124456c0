// Counts anew what a form would reach while it is filled in: sends it as the button to count does, which is there
// where scripts are not, and shows what the answer says. In the head, so that the button is gone before it is drawn.
document.documentElement.dataset.scripts = "on";
const PAUSE = 300; // milliseconds without a change
let waiting;
let asked = new AbortController();

async function count(form, path) {
  asked.abort();
  asked = new AbortController();
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(path, { method: "POST", body, signal: asked.signal });
  const said = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("reach");
  document.getElementById("reach").textContent = said?.textContent ?? "Not counted: you are signed out.";
}

function failed(error) {
  if (error.name === "AbortError") return; // a later count is under way
  document.getElementById("reach").textContent = "Not counted: the answer did not come. Change something to try again.";
}

document.addEventListener("input", (event) => {
  const counted = event.target.closest("[data-counted]");
  if (!counted) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => count(event.target.form, counted.dataset.counted).catch(failed), PAUSE);
});

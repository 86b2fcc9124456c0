// Buttons that copy, for browsers with scripts: in the head, so that they are there before anything is drawn.
document.documentElement.dataset.scripts = "on";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const status = button.parentElement.querySelector("[role=status]");
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    status.textContent = status.dataset.done;
  } catch {
    status.textContent = status.dataset.failed;
  }
});

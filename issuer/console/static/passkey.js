// Hands what a form asks for to the authenticator, and what that answers to the form.
// Without passkeys in the browser, or without scripts, these forms stay hidden.
const passkeys = window.PublicKeyCredential;

async function answer(options) {
  const credential =
    "user" in options
      ? await navigator.credentials.create({ publicKey: passkeys.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: passkeys.parseRequestOptionsFromJSON(options) });
  return JSON.stringify(credential);
}

if (passkeys?.parseCreationOptionsFromJSON) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const problem = form.querySelector("[role=alert]");
    form.parentElement.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      problem.hidden = true;
      try {
        form.elements.credential.value = await answer(JSON.parse(form.dataset.passkey));
        form.submit();
      } catch {
        problem.hidden = false;
      }
    });
  }
}

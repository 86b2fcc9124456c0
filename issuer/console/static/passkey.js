// Hands what a form asks for to the authenticator, and what that answers to the form. In the head, so that these
// forms are there before anything is drawn; without passkeys in the browser, or without scripts, they are not.
const passkeys = window.PublicKeyCredential;

async function answer(options) {
  const credential =
    "user" in options
      ? await navigator.credentials.create({ publicKey: passkeys.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: passkeys.parseRequestOptionsFromJSON(options) });
  return JSON.stringify(credential);
}

if (passkeys?.parseCreationOptionsFromJSON) {
  document.documentElement.dataset.passkeys = "on";
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.passkey) return;
    event.preventDefault();
    const problem = form.querySelector("[role=alert]");
    problem.hidden = true;
    try {
      form.elements.credential.value = await answer(JSON.parse(form.dataset.passkey));
      form.submit();
    } catch {
      problem.hidden = false;
    }
  });
}

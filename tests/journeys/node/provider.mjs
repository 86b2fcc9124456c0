// An OpenID provider on npm's oidc-provider. Who signs in there says in a form who it is: a line of JSON with the
// claims of an account, which is known by them until the next time; or nothing, which is a no.
import Provider from "oidc-provider";
import { exportJWK, generateKeyPair } from "jose";
import { createServer } from "node:http";

const asked = JSON.parse(process.argv[2]);
const accounts = new Map();
const { privateKey } = await generateKeyPair(asked.algorithm, { extractable: true });
const provider = new Provider(asked.issuer, {
  clients: [
    {
      client_id: asked.client_id,
      client_secret: asked.client_secret,
      redirect_uris: [asked.redirect_uri],
      id_token_signed_response_alg: asked.algorithm,
    },
  ],
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: asked.algorithm, use: "sig", kid: "1" }] },
  cookies: { keys: ["of the tests"] },
  claims: {
    openid: ["sub"],
    profile: ["name", "preferred_username"],
    email: ["email", "email_verified"],
    groups: ["groups"],
  },
  // Where it conforms, an ID token that comes with an access token holds no more than who it is about.
  conformIdTokenClaims: asked.conforms,
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ ...accounts.get(id), sub: id }) }),
  async loadExistingGrant({ oidc }) {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope([...oidc.requestParamScopes].join(" "));
    await grant.save();
    return grant;
  },
});
const answer = provider.callback();

createServer(async (request, response) => {
  if (!request.url.startsWith("/interaction/")) return answer(request, response);
  if (request.method === "GET") {
    await provider.interactionDetails(request, response);
    response.setHeader("Content-Type", "text/html");
    return response.end('<title>Who are you?</title><form method="post"><input name="claims"><button>Go</button></form>');
  }
  let body = "";
  for await (const chunk of request) body += chunk;
  const claims = new URLSearchParams(body).get("claims");
  if (!claims) return provider.interactionFinished(request, response, { error: "access_denied" });
  const { sub, ...others } = JSON.parse(claims);
  accounts.set(sub, others);
  return provider.interactionFinished(request, response, { login: { accountId: sub, amr: ["pwd"] } });
}).listen(new URL(asked.issuer).port, "127.0.0.1", () => console.log("ready"));

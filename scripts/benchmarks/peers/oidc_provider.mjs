// npm oidc-provider as an issuer of what ours issues: client_credentials, a JWT access token in ES256.
// PORT, CLIENT_ID and CLIENT_SECRET come in the environment.
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const { PORT, CLIENT_ID, CLIENT_SECRET } = process.env;
const AUDIENCE = "urn:hourmark:services";
const SCOPE = "data:get";
const signingKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [
    {
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      grant_types: ["client_credentials"],
      id_token_signed_response_alg: "ES256",
      redirect_uris: [],
      response_types: [],
      scope: SCOPE,
    },
  ],
  cookies: { keys: [CLIENT_SECRET] },
  jwks: { keys: [{ ...signingKey, alg: "ES256", use: "sig" }] },
  scopes: [SCOPE],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => AUDIENCE,
      getResourceServerInfo: () => ({
        audience: AUDIENCE,
        scope: SCOPE,
        accessTokenTTL: 3600,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
});
provider.listen(PORT, "127.0.0.1");

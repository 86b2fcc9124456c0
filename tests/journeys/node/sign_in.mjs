// What an app in JavaScript does with nothing but the issuer's address: sign a user in, by code or on a device, and
// everything that follows. What it needs of the user it writes as a line; what the browser brings it reads as one.
import * as client from "openid-client";
import { importJWK } from "jose";
import { createInterface } from "node:readline/promises";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => (await lines.next()).value;
const write = (value) => console.log(JSON.stringify(value));

const asked = JSON.parse(await read());
const authentication = {
  none: () => client.None(),
  client_secret_basic: () => client.ClientSecretBasic(asked.secret),
  client_secret_post: () => client.ClientSecretPost(asked.secret),
  private_key_jwt: async () => client.PrivateKeyJwt({ key: await importJWK(asked.jwk, "ES256"), kid: asked.jwk.kid }),
}[asked.authentication];
const config = await client.discovery(new URL(asked.issuer), asked.client_id, undefined, await authentication(), {
  execute: [client.allowInsecureRequests],
});

async function byCode() {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: asked.redirect_uri,
    scope: asked.scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  });
  write({ url });
  return client.authorizationCodeGrant(config, new URL(await read()), {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  });
}

async function onADevice() {
  const begun = await client.initiateDeviceAuthorization(config, { scope: asked.scope });
  write(begun);
  await read();
  return client.pollDeviceAuthorizationGrant(config, begun);
}

const tokens = await (asked.flow === "device" ? onADevice() : byCode());
const claims = tokens.claims();
const user = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const next = await client.refreshTokenGrant(config, tokens.refresh_token);
const seen = await client.tokenIntrospection(config, next.access_token);
const narrowed = await client.genericGrantRequest(config, "urn:ietf:params:oauth:grant-type:token-exchange", {
  subject_token: next.access_token,
  subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
  scope: asked.narrower,
});
await client.tokenRevocation(config, next.refresh_token);
const after = await client.tokenIntrospection(config, next.access_token);
const refused = await client.refreshTokenGrant(config, next.refresh_token).catch((error) => error.error);
write({ claims, user, seen, narrowed: narrowed.scope, after, refused });
process.exit(0);

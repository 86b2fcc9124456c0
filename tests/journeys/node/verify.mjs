// What a service in JavaScript does with a token: metadata, remote key set, checks. The token comes on stdin, its
// claims leave on stdout; a refusal leaves as its code, with exit status 3.
import { createRemoteJWKSet, jwtVerify } from "jose";
import { readFileSync } from "node:fs";

const [issuer, audience] = process.argv.slice(2);
const answer = await fetch(`${issuer}/.well-known/oauth-authorization-server`);
const metadata = await answer.json();
try {
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
  const { payload, protectedHeader } = await jwtVerify(readFileSync(0, "utf8").trim(), keys, {
    issuer: metadata.issuer,
    audience,
    typ: "at+jwt",
    requiredClaims: ["sub", "iat", "exp", "jti", "client_id", "scope"],
    maxTokenAge: "1h",
  });
  console.log(JSON.stringify({ payload, alg: protectedHeader.alg }));
} catch (error) {
  console.log(error.code);
  process.exitCode = 3;
}

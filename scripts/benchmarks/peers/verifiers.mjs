// jose and fast-jwt: a line of tokens on stdin, a line of microseconds on stdout.
import { createVerifier } from "fast-jwt";
import { importJWK, jwtVerify } from "jose";
import { createPublicKey, verify as checkSignature } from "node:crypto";
import { createInterface } from "node:readline";

const TURN = 50; // tokens at a time, so that what drifts hits all alike
const REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti", "client_id"];

function rawCheck({ algorithm, jwk }) {
  const key = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
  const digest = algorithm === "EdDSA" ? null : "sha256";
  return ({ message, signature }) => {
    if (!checkSignature(digest, message, key, signature)) throw new Error("the signature does not match");
  };
}

async function jose({ algorithm, jwk, issuer, audience }) {
  const key = await importJWK(jwk, algorithm);
  const options = { algorithms: [algorithm], issuer, audience, typ: "at+jwt", requiredClaims: REQUIRED };
  return ({ token }) => jwtVerify(token, key, options);
}

function fastJwt({ algorithm, jwk, issuer, audience }) {
  const key = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
  const verify = createVerifier({
    key,
    algorithms: [algorithm],
    allowedIss: issuer,
    allowedAud: audience,
    requiredClaims: REQUIRED,
    cache: false,
  });
  return ({ token }) => verify(token);
}

function signedPart(token) {
  const end = token.lastIndexOf(".");
  return {
    token,
    message: Buffer.from(token.slice(0, end)),
    signature: Buffer.from(token.slice(end + 1), "base64url"),
  };
}

async function microseconds(asked) {
  const inputs = asked.tokens.map(signedPart);
  const ways = { "raw in node": rawCheck(asked), jose: await jose(asked), "fast-jwt": fastJwt(asked) };
  const order = Object.keys(ways);
  const spent = Object.fromEntries(order.map((name) => [name, 0]));
  for (let start = 0; start < inputs.length; start += TURN) {
    const turn = inputs.slice(start, start + TURN);
    order.push(order.shift()); // whoever begins finds the tokens in no cache: each does so in its turn
    for (const name of order) {
      const verify = ways[name];
      const began = performance.now();
      for (const input of turn) {
        const done = verify(input);
        // Awaiting what is no promise would cost the synchronous ones a turn of the event loop.
        if (done instanceof Promise) await done;
      }
      spent[name] += performance.now() - began;
    }
  }
  return Object.fromEntries(Object.entries(spent).map(([name, ms]) => [name, (ms * 1000) / inputs.length]));
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await microseconds(JSON.parse(line))));
}

// Signing in with another service, with an untouched supabase-js: signInWithOAuth, and exchangeCodeForSession or the session
// behind the `#`; signInWithIdToken. The service is a real server of its own, with its own keys.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@supabase/supabase-js";
import { start } from "./server.mjs";

const HOME = "http://app.test/";
const SECRET = "the client's secret";
let server, service;

const b64 = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const ok = ({ data, error }) => { assert.equal(error, null, JSON.stringify(error)); return data; };
const client = (options) =>
  createClient(server.url, server.publishable, { auth: { persistSession: false, autoRefreshToken: false, ...options } });

/** A service that speaks OpenID Connect: one person is signed in there. */
async function serviceOf(person) {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const codes = new Map();
  const idToken = (aud, nonce) => {
    const now = Math.floor(Date.now() / 1000);
    const signed = `${b64({ alg: "RS256", kid: "1" })}.${b64({ iss: self.url, aud, iat: now, exp: now + 60, nonce, ...person })}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
  };
  const http = createServer((request, response) => {
    const url = new URL(request.url, self.url);
    const json = (status, body) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (url.pathname === "/.well-known/openid-configuration") {
      return json(200, {
        issuer: self.url, authorization_endpoint: `${self.url}/authorize`, token_endpoint: `${self.url}/token`, jwks_uri: `${self.url}/keys`,
        token_endpoint_auth_methods_supported: ["client_secret_post"],
      });
    }
    if (url.pathname === "/keys") return json(200, { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "1", alg: "RS256", use: "sig" }] });
    if (url.pathname === "/authorize") {
      const asked = Object.fromEntries(url.searchParams);
      const code = `code-${codes.size}`;
      codes.set(code, asked);
      const back = new URL(asked.redirect_uri);
      back.searchParams.set("code", code);
      back.searchParams.set("state", asked.state);
      return response.writeHead(302, { location: back.href }).end();
    }
    let body = "";
    request.on("data", (part) => { body += part; }).on("end", () => {
      const form = Object.fromEntries(new URLSearchParams(body));
      const asked = codes.get(form.code);
      codes.delete(form.code);
      const challenge = createHash("sha256").update(form.code_verifier ?? "").digest("base64url");
      if (!asked || form.client_secret !== SECRET || challenge !== asked.code_challenge) return json(400, { error: "invalid_grant" });
      return json(200, { access_token: "of-the-service", token_type: "Bearer", id_token: self.idToken(asked.client_id, asked.nonce) });
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const self = { url: `http://127.0.0.1:${http.address().port}`, idToken, stop: () => http.close() };
  return self;
}

/** What a browser does with an address: it keeps cookies, and follows until the application is reached. */
async function browse(address) {
  const cookies = new Map();
  let place = new URL(address);
  for (let hop = 0; place.origin !== new URL(HOME).origin; hop++) {
    assert.ok(hop < 5, place.href);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(place, { redirect: "manual", headers: cookie && place.origin === server.url ? { cookie } : {} });
    for (const set of answer.headers.getSetCookie()) {
      const [pair] = set.split(";");
      cookies.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    }
    const location = answer.headers.get("location");
    assert.ok(location, `${answer.status} ${await answer.text()}`);
    place = new URL(location, place);
  }
  return place;
}

function storage() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

before(async () => {
  service = await serviceOf({ sub: "7", email: "ann@example.com", email_verified: true, name: "Ann" });
  server = await start("shop", {
    config: async (folder) => {
      const file = join(folder, "backstay.toml");
      const text = await readFile(file, "utf8");
      await writeFile(file, text.replace(/autoconfirm = true.*/, `autoconfirm = false\nsite_url = "${HOME}"`));
      const provider = `[auth.providers.keycloak]\nissuer = "${service.url}"\nclient_id = "shop"\nclient_secret = "${SECRET}"\nid_token_clients = ["shop-ios"]\n`;
      await appendFile(file, `\n${provider}\n[outbound]\nallow = ["127.0.0.1"]\n`);
    },
  });
});
after(async () => { await server?.stop(); service?.stop(); });

test("signInWithOAuth with PKCE", async () => {
  const page = client({ flowType: "pkce", persistSession: true, storage: storage() });
  const options = { skipBrowserRedirect: true, redirectTo: `${HOME}in` };
  const { url } = ok(await page.auth.signInWithOAuth({ provider: "keycloak", options }));
  const place = await browse(url);
  assert.deepEqual([place.pathname, place.hash], ["/in", ""]);
  const code = place.searchParams.get("code");
  const thief = client({ flowType: "pkce", persistSession: true, storage: storage() });
  assert.ok((await thief.auth.exchangeCodeForSession(code).catch((error) => ({ error }))).error);
  const { url: again } = ok(await page.auth.signInWithOAuth({ provider: "keycloak", options }));
  const { session, user } = ok(await page.auth.exchangeCodeForSession((await browse(again)).searchParams.get("code")));
  assert.equal(session.provider_token, "of-the-service");
  assert.deepEqual([user.email, user.app_metadata.provider, user.identities.length], ["ann@example.com", "keycloak", 1]);
  assert.deepEqual(ok(await page.from("user").select("name")), [{ name: "Ann" }]);
});

test("signInWithOAuth with the session behind the #", async () => {
  const { url } = ok(await client().auth.signInWithOAuth({ provider: "keycloak", options: { skipBrowserRedirect: true } }));
  const place = await browse(url);
  const parts = new URLSearchParams(place.hash.slice(1));
  const supabase = client();
  const tokens = { access_token: parts.get("access_token"), refresh_token: parts.get("refresh_token") };
  const { user } = ok(await supabase.auth.setSession(tokens));
  assert.deepEqual([user.email, parts.get("provider_token")], ["ann@example.com", "of-the-service"]);
});

test("signInWithIdToken takes a token of the service, once", async () => {
  const hash = createHash("sha256").update("of the app").digest("hex");
  const credentials = { provider: "keycloak", token: service.idToken("shop-ios", hash), nonce: "of the app" };
  const { user } = ok(await client().auth.signInWithIdToken(credentials));
  assert.equal(user.email, "ann@example.com");
  for (const wrong of [credentials, { provider: "keycloak", token: service.idToken("another client") }]) {
    const { error } = await client().auth.signInWithIdToken(wrong);
    assert.deepEqual([error?.status, error?.code], [400, "validation_failed"]);
  }
});

test("a provider that is not enabled is refused, and one that is is told", async () => {
  const { url } = ok(await client().auth.signInWithOAuth({ provider: "github", options: { skipBrowserRedirect: true } }));
  const answer = await fetch(url, { redirect: "manual" });
  assert.deepEqual([answer.status, (await answer.json()).msg], [400, "Unsupported provider: provider is not enabled"]);
  const settings = await (await fetch(`${server.url}/auth/v1/settings`, { headers: { apikey: server.publishable } })).json();
  assert.deepEqual([settings.external.keycloak, settings.external.github], [true, false]);
});

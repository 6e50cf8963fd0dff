// Bad input over raw HTTP: the right code, in bounded time, nothing written, the process alive.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { connect } from "node:net";
import { createClient } from "@supabase/supabase-js";
import { start } from "./server.mjs";

let server, token;

const b64 = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const DEADLINE_MS = 5000;

async function ask(path, { method = "GET", body, headers = {}, key = server.publishable, bearer } = {}) {
  const response = await fetch(server.url + path, {
    method, body, signal: AbortSignal.timeout(DEADLINE_MS),
    headers: { apikey: key, ...(bearer ? { authorization: `Bearer ${bearer}` } : {}), ...(body ? { "content-type": "application/json" } : {}), ...headers },
  });
  const text = await response.text();
  let json; try { json = JSON.parse(text); } catch { json = undefined; }
  return { status: response.status, code: json?.code, json, text };
}

before(async () => {
  server = await start("shop");
  const supabase = createClient(server.url, server.publishable, { auth: { persistSession: false, autoRefreshToken: false } });
  const { data } = await supabase.auth.signUp({ email: "eve@example.com", password: "correct horse battery", options: { data: { name: "Eve" } } });
  token = data.session.access_token;
});
after(async () => {
  const alive = await ask("/auth/v1/health");
  assert.equal(alive.status, 200);
  const rows = await ask("/rest/v1/order?select=id", { key: server.secret });
  assert.deepEqual(rows.json, [], "nothing was written");
  assert.equal(await server.stop(), 0);
});

const order = (body, extra) => ask("/rest/v1/order", { method: "POST", body, bearer: token, ...extra });

test("bodies that are not what they should be", async () => {
  for (const [body, code, status] of [
    ['{"note": ', "PGRST102", 400],
    ["[", "PGRST102", 400],
    ["not json", "PGRST102", 400],
    ['"text"', "PGRST102", 400],
    ["12", "PGRST102", 400],
    ["[1,2]", "PGRST102", 400],
    ['[{"note":"a"},{"other":"b"}]', "PGRST102", 400],
    ['{"note": "a", "nope": 1}', "PGRST204", 400],
    ['{"status": "LOST"}', "22P02", 400],
    ['{"note": "a\\u0000b"}', "22021", 400],
    [Buffer.from([0x7b, 0x22, 0x6e, 0x6f, 0x74, 0x65, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d]), "PGRST102", 400],
    ["[".repeat(100_000), "PGRST102", 400],
  ]) {
    const answer = await order(body);
    assert.equal(answer.status, status, `${String(body).slice(0, 40)} → ${answer.text}`);
    assert.equal(answer.code, code, answer.text);
    assert.deepEqual(Object.keys(answer.json).sort(), ["code", "details", "hint", "message"]);
  }
});

test("wrong types in filters and paths", async () => {
  for (const [path, code, status] of [
    ["/rest/v1/order?id=eq.not-a-uuid", "22P02", 400],
    ["/rest/v1/review?stars=eq.99999999999", "22003", 400],
    ["/rest/v1/review?stars=eq.five", "22P02", 400],
    ["/rest/v1/product?price=gt.abc", "22P02", 400],
    ["/rest/v1/order?created_at=gt.yesterday-ish", "22007", 400],
    ["/rest/v1/product?published=is.7", "PGRST100", 400],
    ["/rest/v1/product?titel=eq.x", "42703", 400],
    ["/rest/v1/prodct", "PGRST205", 404],
    ["/rest/v1/_backstay_account", "PGRST205", 404],
    ["/rest/v1/product?select=nope(id)", "PGRST200", 400],
    ["/rest/v1/product?select=_backstay_session(id)", "PGRST200", 400],
    ["/rest/v1/product?title=noop.0", "PGRST100", 400],
    ["/rest/v1/product?select=title,", "PGRST100", 400],
    ["/rest/v1/product?order=title.sideways", "PGRST100", 400],
    ["/rest/v1/product?limit=-1", "PGRST103", 416],
    ["/rest/v1/product?limit=many", "PGRST100", 400],
    ["/rest/v1/product?title=eq.%ff%fe", "22021", 400],
    ["/rest/v1/a/b", "PGRST125", 404],
    ["/nothing/here", "PGRST125", 404],
  ]) {
    const answer = await ask(path, { bearer: token });
    assert.equal(answer.code, code, `${path} → ${answer.status} ${answer.text}`);
    assert.equal(answer.status, status, path);
  }
  assert.doesNotMatch((await ask("/rest/v1/_backstay_acount")).text.replaceAll("_backstay_acount", ""), /_backstay/);
});

test("sizes", async () => {
  const list = Array.from({ length: 10_000 }, (_, n) => n).join(",");
  assert.equal((await ask(`/rest/v1/review?stars=in.(${list})`, { bearer: token })).code, "54001");
  const deep = `${"or(and(".repeat(100)}title.eq.a${"))".repeat(100)}`;
  assert.equal((await ask(`/rest/v1/product?or=(${deep})`, { bearer: token })).code, "54001");
  const embeds = `${"category(".repeat(50)}name${")".repeat(50)}`;
  assert.equal((await ask(`/rest/v1/product?select=${embeds}`, { bearer: token })).code, "54001");
  const long = await ask(`/rest/v1/product?title=eq.${"a".repeat(70_000)}`, { bearer: token }).catch((error) => ({ code: "closed", error }));
  assert.ok(["54001", "closed", undefined].includes(long.code), long.text);
  const big = await order(JSON.stringify({ note: "x".repeat(10 * 1024 * 1024) })).catch(() => ({ code: "closed" }));
  assert.ok(["54001", "closed"].includes(big.code), big.text);
  const rows = JSON.stringify(Array.from({ length: 20_001 }, () => ({ note: "a" })));
  assert.equal((await order(rows)).code, "54001");
});

test("tokens that are not ours", async () => {
  const [head, claims, signature] = token.split(".");
  const payload = JSON.parse(Buffer.from(claims, "base64url"));
  const header = JSON.parse(Buffer.from(head, "base64url"));
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const es256 = (h, p) => {
    const input = `${b64(h)}.${b64(p)}`;
    return `${input}.${sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  };
  const jwks = (await ask("/auth/v1/.well-known/jwks.json")).json;
  const hs256 = (h, p, secret) => {
    const input = `${b64(h)}.${b64(p)}`;
    return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
  };
  const forged = {
    "another key": es256(header, payload),
    "no algorithm": `${b64({ alg: "none", typ: "JWT" })}.${claims}.`,
    "no algorithm, with kid": `${b64({ ...header, alg: "none" })}.${claims}.${signature}`,
    "signed with the public key": hs256({ ...header, alg: "HS256" }, payload, JSON.stringify(jwks.keys[0])),
    "changed claims": `${head}.${b64({ ...payload, role: "service_role" })}.${signature}`,
    "unknown kid": es256({ ...header, kid: "nope" }, payload),
    "own jwk": es256({ ...header, jwk: jwks.keys[0] }, payload),
    "zero signature": `${head}.${claims}.${Buffer.alloc(64).toString("base64url")}`,
    "truncated": token.slice(0, -4),
    "two parts": `${head}.${claims}`,
    "four parts": `${token}.x`,
    "not base64": "a.b.c!",
    "a forged service role": hs256({ alg: "HS256", typ: "JWT" }, { role: "service_role", iss: "supabase", exp: 4e9 }, "super-secret-jwt-token-with-at-least-32-characters-long"),
  };
  for (const [name, bearer] of Object.entries(forged)) {
    const answer = await ask("/rest/v1/order?select=*", { headers: { authorization: `Bearer ${bearer}` } });
    assert.equal(answer.status, 401, `${name} → ${answer.status} ${answer.text}`);
    assert.match(answer.code, /^PGRST30[123]$/, `${name} → ${answer.text}`);
    const user = await ask("/auth/v1/user", { headers: { authorization: `Bearer ${bearer}` } });
    assert.ok([401, 403].includes(user.status), `${name} → ${user.status} ${user.text}`);
  }
});

test("keys of another project", async () => {
  for (const key of ["sb_secret_aaaaaaaaaaaaaaaaaaaaaa_aaaaaaaa", "sb_publishable_zzzz", "", "nonsense", `${server.secret}x`]) {
    const answer = await ask("/rest/v1/order", { key });
    assert.equal(answer.status, 401, `${key} → ${answer.text}`);
  }
  const browser = await ask("/rest/v1/order", { key: server.secret, headers: { "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0" } });
  assert.equal(browser.status, 401, browser.text);
});

test("auth bodies", async () => {
  for (const [path, body, status, code] of [
    ["/auth/v1/signup", "{", 400, "bad_json"],
    ["/auth/v1/signup", "[]", 400, "bad_json"],
    ["/auth/v1/signup", '{"email":"nope","password":"correct horse"}', 400, "validation_failed"],
    ["/auth/v1/signup", '{"email":"x@example.com","password":"a"}', 422, "weak_password"],
    ["/auth/v1/signup", '{"email":"eve@example.com","password":"correct horse battery","data":{"name":"x"}}', 422, "user_already_exists"],
    ["/auth/v1/token?grant_type=password", '{"email":"eve@example.com","password":"wrong"}', 400, "invalid_credentials"],
    ["/auth/v1/token?grant_type=refresh_token", '{"refresh_token":"nope"}', 400, "refresh_token_not_found"],
    ["/auth/v1/token?grant_type=telepathy", "{}", 400, undefined],
  ]) {
    const answer = await ask(path, { method: "POST", body, headers: { "x-supabase-api-version": "2024-01-01" } });
    assert.equal(answer.status, status, `${path} ${body} → ${answer.text}`);
    if (code) assert.equal(answer.code, code, answer.text);
  }
  const huge = await ask("/auth/v1/token?grant_type=password", { method: "POST", body: JSON.stringify({ email: "eve@example.com", password: "x".repeat(100_000) }) });
  assert.ok(huge.status >= 400 && huge.status < 500, huge.text);
  assert.equal((await ask("/auth/v1/admin/users")).status, 403);
  assert.equal((await ask("/auth/v1/admin/users", { bearer: token })).status, 403);
});

test("broken HTTP ends its own connection only", async () => {
  const { port } = new URL(server.url);
  const raw = (bytes) => new Promise((resolve) => {
    const socket = connect(Number(port), "127.0.0.1", () => socket.end(bytes));
    let text = ""; socket.on("data", (data) => { text += data; }); socket.on("close", () => resolve(text)); socket.on("error", () => resolve(text));
  });
  for (const bytes of [
    "GARBAGE\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    "POST /rest/v1/order HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nX",
    "POST /rest/v1/order HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
    `GET / HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(300_000)}\r\n\r\n`,
    "\0\0\0\0",
  ]) {
    const answer = await raw(bytes);
    assert.ok(!answer.startsWith("HTTP/1.1 2"), answer);
  }
  assert.equal((await ask("/auth/v1/health")).status, 200);
});

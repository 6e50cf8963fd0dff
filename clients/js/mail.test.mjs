// Accounts by e-mail with an untouched supabase-js: every letter that `dev` keeps is read and followed, by link,
// by code and with PKCE.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@supabase/supabase-js";
import { start } from "./server.mjs";

const PASSWORD = "correct horse battery";
const HOME = "http://app.test/";
let server;

const client = (options) =>
  createClient(server.url, server.publishable, { auth: { persistSession: false, autoRefreshToken: false, ...options } });
const ok = ({ data, error }) => { assert.equal(error, null, JSON.stringify(error)); return data; };
const refused = ({ error }, code, status) => assert.deepEqual([error?.code, error?.status], [code, status]);

/** The newest letter to an address: it goes out after the answer, so that it may come a moment later. */
async function letter(to, seen = 0) {
  const until = Date.now() + 10_000;
  while (Date.now() < until) {
    const letters = (await (await fetch(`${server.url}/_/mail`)).json()).filter((one) => one.to === to);
    if (letters.length > seen) {
      const [{ subject, text }] = letters;
      return { subject, code: /code: (\d{6})/.exec(text)[1], link: /^http\S+$/m.exec(text)[0], count: letters.length };
    }
  }
  throw new Error(`no letter to ${to}`);
}

/** Where a followed link leads. */
async function follow(link) {
  const answer = await fetch(link, { redirect: "manual" });
  assert.equal(answer.status, 303);
  return new URL(answer.headers.get("location"));
}

/** What a page of the application does with where it was led. */
async function land(place) {
  const supabase = client();
  const parts = new URLSearchParams(place.hash.slice(1));
  assert.ok(parts.get("access_token"), place.href);
  const tokens = { access_token: parts.get("access_token"), refresh_token: parts.get("refresh_token") };
  ok(await supabase.auth.setSession(tokens));
  return supabase;
}

/** Storage that outlives a page, as PKCE needs. */
function storage() {
  const kept = new Map();
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}

before(async () => {
  server = await start("shop", {
    config: async (folder) => {
      const file = join(folder, "backstay.toml");
      const text = await readFile(file, "utf8");
      const auth = `autoconfirm = false\nsite_url = "${HOME}"\nredirect_urls = ["myapp://**"]\nmail_interval_seconds = 0`;
      await writeFile(file, text.replace(/autoconfirm = true.*/, auth));
      await appendFile(file, '\n[mail.magic_link]\nsubject = "In with {{ .Token }}"\n');
    },
  });
});
after(() => server?.stop());

test("signUp sends a letter whose link signs in", async () => {
  const { user, session } = ok(await client().auth.signUp({
    email: "ann@example.com", password: PASSWORD, options: { data: { name: "Ann" }, emailRedirectTo: `${HOME}welcome` },
  }));
  assert.equal(session, null);
  assert.equal(user.email_confirmed_at, undefined);
  refused(await client().auth.signInWithPassword({ email: "ann@example.com", password: PASSWORD }), "email_not_confirmed", 400);
  const first = await letter("ann@example.com");
  assert.equal(first.subject, "Confirm your e-mail address");
  ok(await client().auth.resend({ type: "signup", email: "ann@example.com" }));
  const second = await letter("ann@example.com", first.count);
  const stale = await follow(first.link);
  assert.equal(new URLSearchParams(stale.hash.slice(1)).get("error_code"), "otp_expired");
  const place = await follow(second.link);
  assert.equal(place.origin, new URL(HOME).origin);
  const supabase = await land(place);
  const { user: me } = ok(await supabase.auth.getUser());
  assert.deepEqual([me.email, typeof me.email_confirmed_at], ["ann@example.com", "string"]);
  assert.deepEqual(ok(await supabase.from("user").select("name")), [{ name: "Ann" }]);
  ok(await client().auth.signInWithPassword({ email: "ann@example.com", password: PASSWORD }));
  // again: nothing tells that there is an account
  const again = ok(await client().auth.signUp({
    email: "ann@example.com", password: "another password", options: { data: { name: "Ann" } },
  }));
  assert.deepEqual([again.session, again.user.identities.length], [null, 1]);
});

test("verifyOtp takes the code once", async () => {
  ok(await client().auth.signUp({ email: "bob@example.com", password: PASSWORD, options: { data: { name: "Bob" } } }));
  const { code } = await letter("bob@example.com");
  const wrong = code === "000000" ? "000001" : "000000";
  refused(await client().auth.verifyOtp({ email: "bob@example.com", token: wrong, type: "email" }), "otp_expired", 403);
  const { session, user } = ok(await client().auth.verifyOtp({ email: "bob@example.com", token: code, type: "email" }));
  assert.ok(session.access_token);
  assert.equal(user.email, "bob@example.com");
  refused(await client().auth.verifyOtp({ email: "bob@example.com", token: code, type: "email" }), "otp_expired", 403);
});

test("resetPasswordForEmail leads to a new password", async () => {
  const { count } = await letter("bob@example.com");
  ok(await client().auth.resetPasswordForEmail("bob@example.com", { redirectTo: "myapp://reset" }));
  const { link } = await letter("bob@example.com", count);
  const place = await follow(link);
  assert.equal(place.protocol, "myapp:");
  const supabase = await land(place);
  ok(await supabase.auth.updateUser({ password: "a better one than before" }));
  refused(await client().auth.signInWithPassword({ email: "bob@example.com", password: PASSWORD }), "invalid_credentials", 400);
  ok(await client().auth.signInWithPassword({ email: "bob@example.com", password: "a better one than before" }));
  // who has no account hears the same, and gets nothing
  ok(await client().auth.resetPasswordForEmail("nobody@example.com"));
});

test("signInWithOtp makes an account, or does not", async () => {
  // who has no account hears what everybody hears, and gets nothing
  ok(await client().auth.signInWithOtp({ email: "cy@example.com", options: { shouldCreateUser: false } }));
  ok(await client().auth.signInWithOtp({ email: "cy@example.com", options: { data: { name: "Cy" } } }));
  const { code, subject } = await letter("cy@example.com");
  assert.equal(subject, `In with ${code}`);
  const { session } = ok(await client().auth.verifyOtp({ email: "cy@example.com", token: code, type: "email" }));
  assert.ok(session.access_token);
});

test("with PKCE a link is of use to the page that asked for it alone", async () => {
  const kept = storage();
  const page = client({ flowType: "pkce", persistSession: true, storage: kept });
  ok(await page.auth.signInWithOtp({ email: "dee@example.com", options: { data: { name: "Dee" } } }));
  const { link } = await letter("dee@example.com");
  const place = await follow(link);
  assert.equal(place.hash, "");
  const code = place.searchParams.get("code");
  const thief = client({ flowType: "pkce", persistSession: true, storage: storage() });
  const stolen = await thief.auth.exchangeCodeForSession(code).catch((error) => ({ error }));
  assert.ok(stolen.error, "without the verifier there is no session");
  const { user } = ok(await page.auth.exchangeCodeForSession(code));
  assert.equal(user.email, "dee@example.com");
  assert.ok((await page.auth.exchangeCodeForSession(code).catch((error) => ({ error }))).error, "once");
});

test("updateUser changes the address once both have agreed", async () => {
  const supabase = client();
  ok(await supabase.auth.signInWithPassword({ email: "ann@example.com", password: PASSWORD }));
  const seen = (await letter("ann@example.com")).count;
  const { user } = ok(await supabase.auth.updateUser({ email: "anna@example.com" }));
  assert.deepEqual([user.email, user.new_email], ["ann@example.com", "anna@example.com"]);
  const [old, fresh] = [await letter("ann@example.com", seen), await letter("anna@example.com")];
  const half = ok(await client().auth.verifyOtp({ email: "ann@example.com", token: old.code, type: "email_change" }));
  assert.equal(half.session, null);
  refused(await client().auth.signInWithPassword({ email: "anna@example.com", password: PASSWORD }), "invalid_credentials", 400);
  const moved = await land(await follow(fresh.link));
  assert.equal(ok(await moved.auth.getUser()).user.email, "anna@example.com");
  ok(await client().auth.signInWithPassword({ email: "anna@example.com", password: PASSWORD }));
  refused(await client().auth.signInWithPassword({ email: "ann@example.com", password: PASSWORD }), "invalid_credentials", 400);
});

test("the mailbox is for this machine alone", async () => {
  const foreign = await fetch(`${server.url}/_/mail`, { headers: { origin: "http://evil.test" } });
  assert.equal(foreign.status, 404);
});

// Three nodes on one database behind nginx: a rolling restart under constant load fails no
// request; a ban, a revoked session and a new key are seen by every node within two seconds.
// Runs where DATABASE_URL names a server that takes many nodes, and nginx is installed.
import test, { before, after } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import http from "node:http";
import { binary, root } from "./server.mjs";

const NODES = 3;
const SEEN_WITHIN_MS = 2_000;
const many = /^(postgres|mysql)/.test(process.env.DATABASE_URL ?? "");
const skip = many ? false : "DATABASE_URL names no server for many nodes";

let folder, ports, front, nginx, keys;
const nodes = [];

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function startNode(index) {
  const child = spawn(binary, ["serve", "-C", folder, "--listen", `127.0.0.1:${ports[index]}`, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ready = new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`node ${index} ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (JSON.parse(line).event === "ready") resolve();
    });
  });
  nodes[index] = child;
  await ready;
}

async function stopNode(index) {
  const ended = once(nodes[index], "exit");
  nodes[index].kill("SIGTERM");
  const [code] = await ended;
  assert.equal(code, 0);
}

async function command(...args) {
  const child = spawn(binary, [...args, "-C", folder, "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => (text += chunk));
  const [code] = await once(child, "exit");
  assert.equal(code, 0, text);
  return text.trim() === "" ? null : JSON.parse(text.trim().split("\n").at(-1));
}

/** nginx as docs/guide/production.md shows it. */
async function startNginx() {
  const upstream = ports.map((port) => `    server 127.0.0.1:${port} max_fails=1 fail_timeout=1s;`).join("\n");
  await writeFile(join(folder, "nginx.conf"), `
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream backstay {
${upstream}
    keepalive 32;
  }
  server {
    listen 127.0.0.1:${front};
    location / {
      proxy_pass http://backstay;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_next_upstream error timeout http_503 non_idempotent;
    }
  }
}
`);
  nginx = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "inherit" });
  for (;;) {
    const up = await new Promise((resolve) => {
      http.get({ port: front, host: "127.0.0.1", path: "/auth/v1/health" }, (answer) => {
        answer.resume();
        resolve(answer.statusCode !== 502);
      }).on("error", () => resolve(false));
    });
    if (up) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const at = (port) => `http://127.0.0.1:${port}`;
const headers = (token) => ({
  apikey: keys.publishable,
  "content-type": "application/json",
  ...(token ? { authorization: `Bearer ${token}` } : {}),
});

async function signUp(port, email) {
  const answer = await fetch(`${at(port)}/auth/v1/signup`, {
    method: "POST",
    headers: headers(),
    body: JSON.stringify({ email, password: "correct horse", data: { name: "somebody" } }),
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text);
}

/** How long until every node answers so, in milliseconds. */
async function until(holds) {
  const began = performance.now();
  const waits = ports.map(async (port) => {
    while (!(await holds(port))) {
      assert.ok(performance.now() - began < 10_000, "never seen");
    }
  });
  await Promise.all(waits);
  return performance.now() - began;
}

before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), "backstay-nodes-"));
  await cp(join(root, "examples/shop"), folder, {
    recursive: true,
    filter: (path) => !/node_modules|\.backstay/.test(path),
  });
  ports = await Promise.all(Array.from({ length: NODES }, freePort));
  front = await freePort();
  // all at once on an empty database: one migrates, one makes the keys
  await Promise.all(ports.map((_, index) => startNode(index)));
  const made = await command("keys", "create", "publishable");
  keys = { publishable: made.key ?? made.text ?? made.publishable };
  await startNginx();
});

after(async () => {
  if (skip) return;
  nginx?.kill();
  for (const node of nodes) node?.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

test("a key made by a command is taken by every node, and refused once taken back, within two seconds", { skip }, async () => {
  const made = await command("keys", "create", "publishable");
  const key = made.key ?? made.text ?? made.publishable;
  const reads = async (port) => {
    const answer = await fetch(`${at(port)}/rest/v1/product?limit=1`, { headers: { apikey: key } });
    await answer.text();
    return answer.status;
  };
  const known = await until(async (port) => (await reads(port)) === 200);
  assert.ok(known < SEEN_WITHIN_MS, `${known} ms`);

  const { id } = (await command("keys", "list")).keys.find((one) => one.key === key);
  await command("keys", "revoke", id);
  const gone = await until(async (port) => (await reads(port)) === 401);
  assert.ok(gone < SEEN_WITHIN_MS, `${gone} ms`);
});

test("an account of one node is known to the others at once, and its end within two seconds", { skip }, async () => {
  const session = await signUp(ports[0], "ann@nodes.test");
  const reads = async (port) => {
    const answer = await fetch(`${at(port)}/auth/v1/user`, { headers: headers(session.access_token) });
    await answer.text();
    return answer.status;
  };
  for (const port of ports) assert.equal(await reads(port), 200);
  const answer = await fetch(`${at(ports[1])}/auth/v1/logout?scope=global`, {
    method: "POST",
    headers: headers(session.access_token),
  });
  assert.equal(answer.status, 204, await answer.text());
  const ms = await until(async (port) => (await reads(port)) !== 200);
  assert.ok(ms < SEEN_WITHIN_MS, `${ms} ms`);
});

test("a rolling restart under constant load fails no request", { skip, timeout: 120_000 }, async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const session = await signUp(front, "roll@nodes.test");
  const counts = { done: 0, failed: [] };
  let rolling = true;
  const ask = (method, path, body) => new Promise((resolve) => {
    const request = http.request(
      { agent, host: "127.0.0.1", port: front, method, path, headers: headers(session.access_token) },
      (answer) => {
        let text = "";
        answer.on("data", (chunk) => (text += chunk));
        answer.on("end", () => resolve({ status: answer.statusCode, text }));
        answer.on("error", (error) => resolve({ status: 0, text: String(error) }));
      },
    );
    request.on("error", (error) => resolve({ status: 0, text: String(error) }));
    request.end(body);
  });
  const loads = Array.from({ length: 16 }, async (_, worker) => {
    while (rolling) {
      const reads = worker % 4 !== 0;
      const answer = reads
        ? await ask("GET", "/rest/v1/product?select=id,title&limit=5")
        : await ask("PATCH", `/rest/v1/user?id=eq.${session.user.id}`, JSON.stringify({ name: `roll ${counts.done}` }));
      counts.done += 1;
      if (answer.status < 200 || answer.status > 299) counts.failed.push(answer);
    }
  });
  for (let index = 0; index < NODES; index += 1) {
    await stopNode(index);
    await startNode(index);
  }
  rolling = false;
  await Promise.all(loads);
  agent.destroy();
  assert.deepEqual(counts.failed.slice(0, 3), []);
  assert.equal(counts.failed.length, 0);
  assert.ok(counts.done > 100, `${counts.done} requests`);
  console.log(`rolling restart: ${counts.done} requests, ${counts.failed.length} failed`);
});

// Starts the real binary on a project folder of its own and stops it again.
import { spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { once } from "node:events";
import { createInterface } from "node:readline";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
export const binary = process.env.BACKSTAY_BIN ?? join(target, "debug", "backstay");

/** Serves a copy of `examples/<name>`; resolves once it answers. */
export async function start(name, { config } = {}) {
  const folder = await mkdtemp(join(tmpdir(), `backstay-${name}-`));
  await cp(join(root, "examples", name), folder, {
    recursive: true,
    filter: (path) => !/node_modules|\.backstay/.test(path),
  });
  if (config) await config(folder);
  return run(folder);
}

/** Serves `folder`; resolves once it answers. */
export async function run(folder) {
  const child = spawn(binary, ["dev", "-C", folder, "--port", "0", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  const lines = createInterface({ input: child.stdout });
  const log = [];
  const ready = await new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`backstay ended with ${code}: ${log.join("\n")}`)));
    lines.on("line", (line) => {
      log.push(line);
      let event;
      try { event = JSON.parse(line); } catch { return; }
      if (event.event === "ready") resolve(event);
    });
  });
  return {
    url: ready.url,
    publishable: ready.keys.publishable,
    secret: ready.keys.secret,
    anon: ready.keys.anon,
    service_role: ready.keys.service_role,
    folder,
    log,
    pid: child.pid,
    kill: async (signal) => {
      const ended = once(child, "exit");
      child.kill(signal);
      return ended;
    },
    stop: async () => {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const [code] = await ended;
      await rm(folder, { recursive: true, force: true });
      return code;
    },
  };
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Starts Node with these arguments, and waits until the port is served. */
export async function startProcess(args: readonly string[], port: number) {
  if (await isServed(port)) throw new Error(`port ${port} is taken`);
  const child = spawn(process.execPath, args, {
    stdio: "ignore",
    env: { ...process.env, NODE_ENV: "production" },
  });
  const exited = once(child, "exit");
  // A run that fails leaves nothing behind that the next one would take for its own.
  process.once("exit", () => child.kill("SIGKILL"));
  for (let tries = 0; !(await isServed(port)); tries += 1) {
    if (tries > 600 || child.exitCode !== null) throw new Error(`nothing serves port ${port}`);
    await sleep(100);
  }
  return {
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

function isServed(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1");
  socket.once("error", () => resolve(false));
  socket.once("connect", () => {
    socket.destroy();
    resolve(true);
  });
  return promise;
}

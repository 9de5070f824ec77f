import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** The program, named by MUSIGD: `make test-typescript` gives that of the tree. */
const PROGRAM = process.env["MUSIGD"] ?? "musigd";
const LOOPBACK = ["--rpc-listen", "127.0.0.1:0", "--p2p-listen", "/ip4/127.0.0.1/tcp/0"];

/** A real daemon on loopback with a data directory of its own; `restart` gives it another port and another cookie. */
export class Daemon {
  #process: ChildProcess | undefined;

  private constructor(readonly datadir: string) {}

  static async start(): Promise<Daemon> {
    const daemon = new Daemon(await mkdtemp(join(tmpdir(), "musigd client ")));
    await daemon.start();
    return daemon;
  }

  async start(): Promise<void> {
    const options = ["run", "--datadir", this.datadir, ...LOOPBACK, "--log-format", "json"];
    const child = spawn(PROGRAM, options, { stdio: ["ignore", "inherit", "pipe"] });
    this.#process = child;
    const said: string[] = [];
    for await (const line of createInterface(child.stderr)) {
      said.push(line);
      if (line.includes("ready")) break;
    }
    if (child.exitCode !== null) throw new Error(`the daemon did not start:\n${said.join("\n")}`);
    child.stderr.resume();
  }

  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    if (this.#process === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, "exit");
    this.#process.kill(signal);
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.datadir, { recursive: true });
  }
}

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** The program, named by MUSIGD: `make test-typescript` gives that of the tree. */
const PROGRAM = process.env["MUSIGD"] ?? "musigd";
const PEERS = ["--p2p-listen", "/ip4/127.0.0.1/tcp/0"];

/** A real daemon on loopback with a data directory of its own. Each start gives it another cookie. */
export class Daemon {
  #process: ChildProcess | undefined;

  private constructor(readonly datadir: string) {}

  static async start(): Promise<Daemon> {
    const daemon = new Daemon(await mkdtemp(join(tmpdir(), "musigd client ")));
    await daemon.start();
    return daemon;
  }

  /** `port` 0 is another one each time. */
  async start(port = "0"): Promise<void> {
    const options = ["run", "--datadir", this.datadir, "--rpc-listen", `127.0.0.1:${port}`, ...PEERS, "--log-format", "json"];
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

  /** Where it listens, or did until it was killed. */
  async port(): Promise<string> {
    const { rpc } = JSON.parse(await readFile(join(this.datadir, "endpoint.json"), "utf8")) as { rpc: string };
    return new URL(rpc).port;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.datadir, { recursive: true });
  }
}

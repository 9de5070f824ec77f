// The daemon as the page knows it: its client, what the token may do, and who wants to hear of what.
import { CallFailed, Client, httpTransport, NoPairing, Unreachable, type Calls, type HeardEvent, type Info, type Rights } from "musigd-client";

const LOOK_MS = 4_000;
const LEAST_SKEW_MS = 2_000; // less is the way of the answer

/** Something happened: the name of an event, `directory`, or `everything` where events may have been missed. */
export type Topic = string;
export type State = "here" | "away";

export class Daemon {
  state: State = "here";
  #ahead = 0; // milliseconds by which the daemon's clock is ahead of the browser's, with the time that an answer takes
  readonly #heard = new Set<(topic: Topic, event?: HeardEvent) => void>();
  readonly #timer: ReturnType<typeof setInterval>;
  #revision: number | undefined;
  #looking = false;

  private constructor(readonly client: Client, readonly rights: Rights, public info: Info, readonly ended: (why: string) => void) {
    this.#learn(info);
    void this.#follow();
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    document.addEventListener("visibilitychange", this.#shown);
  }

  /** Throws CallFailed for a token that is not known, Unreachable where no daemon answers. `ended`: the token has. */
  static async enter(token: string, ended: (why: string) => void): Promise<Daemon> {
    const client = new Client(httpTransport({ token }));
    const info = await client.getInfo({}, { patienceMs: 0 });
    return new Daemon(client, await client.getRights(), info, ended);
  }

  /** The time by the daemon's clock: what it says of deadlines and ages is by that one. */
  now(): number {
    return Date.now() + this.#ahead;
  }

  #learn(info: Info): void {
    this.info = info;
    const ahead = info.time - Date.now();
    this.#ahead = Math.abs(ahead) < LEAST_SKEW_MS ? 0 : ahead;
  }

  /** Whether this token may call that method: what it may not is not offered. */
  may(method: keyof Calls): boolean {
    return this.rights.methods.includes(method);
  }

  /** Hears of everything from now on; the function that is given back ends that. */
  listen(heard: (topic: Topic, event?: HeardEvent) => void): () => void {
    this.#heard.add(heard);
    return () => this.#heard.delete(heard);
  }

  leave(): void {
    clearInterval(this.#timer);
    document.removeEventListener("visibilitychange", this.#shown);
    this.#heard.clear();
    this.client.close();
  }

  #tell(topic: Topic, event?: HeardEvent): void {
    for (const heard of [...this.#heard]) heard(topic, event);
  }

  async #follow(): Promise<void> {
    try {
      for await (const event of this.client.events({ fromSeq: this.info.nextSeq, logId: this.info.logId })) {
        this.#tell(event.event === "events:gap" ? "everything" : event.event, event);
      }
    } catch (problem) {
      this.#failed(problem);
    }
  }

  readonly #shown = (): void => {
    if (!document.hidden) void this.#look();
  };

  /** The state of the daemon, and whether its directory has changed: no event tells of signers that nobody follows. */
  async #look(): Promise<void> {
    if (this.#looking || document.hidden) return;
    this.#looking = true;
    try {
      this.#learn(await this.client.getInfo({}, { patienceMs: 0 }));
      const { revision } = await this.client.findAvailableSigners({ maxResults: 1 }, { patienceMs: 0 });
      if (revision !== this.#revision) this.#tell("directory"); // at the first look too: what was loaded may be older
      this.#revision = revision;
      const back = this.state === "away";
      this.state = "here";
      this.#tell(back ? "everything" : "info");
    } catch (problem) {
      this.#failed(problem);
    } finally {
      this.#looking = false;
    }
  }

  #failed(problem: unknown): void {
    if (problem instanceof CallFailed && problem.reason === "unauthenticated") {
      this.ended("The token was revoked or has expired, or the daemon was started anew: its cookie is another one at each start.");
    } else if (problem instanceof Unreachable || (problem instanceof CallFailed && problem.reason === "shutting_down")) {
      this.state = "away";
      this.#tell("info");
    }
  }
}

/** What to show of a failure: the daemon's own sentence, or the kit's about a link. */
export function sentenceOf(problem: unknown): string {
  if (problem instanceof CallFailed || problem instanceof NoPairing) return problem.message;
  if (problem instanceof Unreachable) return "The daemon does not answer; whether this was carried out is seen when it is back.";
  return String(problem);
}

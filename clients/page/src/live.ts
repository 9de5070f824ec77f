// Data that keep themselves as they are in the daemon: loaded, and loaded again when an event says that they changed.
import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { sentenceOf, type Daemon } from "./daemon.js";

const LEAST_PAUSE_MS = 250;
/** A load that takes long is repeated less often, so that it leaves the daemon and the browser nine tenths of their time. */
const PAUSE_PER_LOAD = 9;
const LONGEST_PAUSE_MS = 5_000;

export const Here = createContext<Daemon | null>(null);

export function useDaemon(): Daemon {
  return useContext(Here)!;
}

export interface Live<T> {
  data: T | undefined;
  problem: string;
  reload: () => void;
}

/**
 * What `load` gives, again whenever one of `topics` is told (`session` stands for every `session:...`), and whenever
 * `key` changes. Calls to `show` give parts of it before the whole is there. One load at a time.
 */
export function useLive<T>(load: (show: (part: T) => void, signal: AbortSignal) => Promise<T>, topics: readonly string[], key = ""): Live<T> {
  const daemon = useDaemon();
  const [state, setState] = useState<{ key: string; data: T | undefined; problem: string }>({ key, data: undefined, problem: "" });
  const again = useRef<() => void>(() => {});
  useEffect(() => {
    const ending = new AbortController();
    const loop = new Loop(async (first) => {
      const show = (data: T): void => {
        if (!ending.signal.aborted) setState({ key, data, problem: "" });
      };
      try {
        show(await load(first ? show : () => {}, ending.signal));
      } catch (problem) {
        if (!ending.signal.aborted) setState((old) => ({ ...old, key, problem: sentenceOf(problem) }));
      }
    }, ending.signal);
    again.current = () => loop.ask();
    const deaf = daemon.listen((topic) => {
      if (topic === "everything" || topics.some((each) => topic === each || topic.startsWith(`${each}:`))) loop.ask();
    });
    loop.ask();
    return () => {
      deaf();
      ending.abort();
    };
  }, [daemon, key]);
  const current = state.key === key ? state : { data: undefined, problem: "" };
  return { ...current, reload: () => again.current() };
}

/** Runs one thing at a time, with pauses; however often it is asked for meanwhile, it runs once more. */
class Loop {
  #wanted = false;
  #running = false;
  #first = true;

  constructor(readonly work: (first: boolean) => Promise<void>, readonly signal: AbortSignal) {}

  ask(): void {
    this.#wanted = true;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#wanted && !this.signal.aborted) {
      this.#wanted = false;
      const began = performance.now();
      await this.work(this.#first);
      this.#first = false;
      const pause = Math.min(LONGEST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, PAUSE_PER_LOAD * (performance.now() - began)));
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    this.#running = false;
  }
}

/** The time by the daemon's clock, told anew each second; for what counts down. */
export function useNow(): number {
  const daemon = useDaemon();
  const [now, setNow] = useState(() => daemon.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(daemon.now()), 1_000);
    return () => clearInterval(timer);
  }, [daemon]);
  return now;
}

/** The state of the daemon, as last seen. */
export function useInfo(): Daemon {
  const daemon = useDaemon();
  const [, setSeen] = useState(0);
  useEffect(() => daemon.listen((topic) => {
    if (topic === "info" || topic === "everything") setSeen((seen) => seen + 1);
  }), [daemon]);
  return daemon;
}

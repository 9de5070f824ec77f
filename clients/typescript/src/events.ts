// Follows events across broken connections: every seq once, in order. A WebSocket carries them; where it does not open,
// a page of getEvents is read instead, which also tells why: a refused token, or nobody there.
import type { Connection } from "./connection.js";
import type { Said } from "./feed.js";
import type { EventData } from "./generated/events.js";
import type { EventFilter, EventPage, Info } from "./generated/values.js";
import { isAway, isRefused, Pauses, sleep, toldToWait } from "./waiting.js";

const WAIT_MS = 25_000;
const PAGE = 1_000;
const MOST_REFUSALS = 4; // a restarting daemon writes its new cookie a moment after it listens

export type EventName = keyof EventData;
/** The name of an event, or a prefix such as `session:*`. */
export type EventPattern = EventName | (EventName extends `${infer Prefix}:${string}` ? `${Prefix}:*` : never);
type Named<P> = P extends `${infer Prefix}:*` ? Extract<EventName, `${Prefix}:${string}`> : P & EventName;

/** One stored event. */
export type EventOf<N extends EventName = EventName> = {
  [E in N]: { seq: number; event: E; time: number; data: EventData[E] };
}[N];

/** Events from..to are no longer kept, or it is another log: read the lists again. It has no seq. */
export interface GapEvent {
  seq?: undefined;
  event: "events:gap";
  time: number;
  data: { from: number; to: number };
}

export interface EventOptions<P extends EventPattern = EventPattern> {
  /** The first seq wanted; 0 is the oldest kept. Absent: from now. */
  fromSeq?: number | undefined;
  /** The id of the log in which `fromSeq` counts. If it is another one, events:gap comes first. */
  logId?: string | undefined;
  /** Only these. */
  events?: readonly P[] | undefined;
  /** Only events that concern all of these. */
  filter?: EventFilter | undefined;
  /** Ends the iteration. */
  signal?: AbortSignal | undefined;
}

export type HeardEvent<P extends EventPattern = EventPattern> = EventOf<Named<P>> | GapEvent;

interface Place {
  fromSeq?: number;
  logId?: string;
}

/** Ends when the signal or the client does. Throws when the daemon never answered, and when the token is refused. */
export async function* follow<P extends EventPattern>(
  connection: Connection, options: EventOptions<P>,
): AsyncGenerator<HeardEvent<P>, void> {
  const { signal, events, filter } = options;
  const only = { ...(events && { events }), ...(filter && { filter }) };
  const place: Place = defined({ fromSeq: options.fromSeq, logId: options.logId });
  const pauses = new Pauses();
  const isOver = (): boolean => signal?.aborted === true || connection.closing.aborted;
  for (let refused = 0; !isOver(); ) {
    try {
      for await (const event of stretch(connection, place, only, signal)) {
        refused = 0;
        pauses.reset();
        if (event !== null) yield event as HeardEvent<P>;
      }
    } catch (problem) {
      if (isOver()) return;
      refused = isRefused(problem) ? refused + 1 : 0;
      const wait = toldToWait(problem);
      const passes = isAway(problem) || wait !== null || (refused > 0 && refused < MOST_REFUSALS);
      if (!passes || !connection.answered) throw problem;
      await sleep(Math.max(pauses.next(), wait ?? 0));
    }
  }
}

/** Events until the connection ends. null: it stands, and nothing was missed so far. */
async function* stretch(
  connection: Connection, place: Place, only: object, signal?: AbortSignal,
): AsyncGenerator<Said | null> {
  const feed = await connection.feed({ ...place, ...only }, signal).catch(() => null);
  if (feed === null) {
    yield* page(connection, place, only, signal);
    return;
  }
  try {
    place.fromSeq = feed.nextSeq;
    place.logId = feed.logId;
    yield null;
    for await (const said of feed.said) yield* passed(said, place);
  } finally {
    feed.close();
  }
}

function* passed(said: Said, place: Place): Generator<Said> {
  const next = place.fromSeq ?? 0;
  if (said.event === "events:progress") place.fromSeq = Math.max(next, Number(said.data["nextSeq"]));
  else if (said.seq === undefined) yield said;
  else if (said.seq >= next) {
    place.fromSeq = said.seq + 1;
    yield said;
  }
}

async function* page(
  connection: Connection, place: Place, only: object, signal?: AbortSignal,
): AsyncGenerator<Said | null> {
  if (place.fromSeq === undefined) {
    const info = (await connection.ask("getInfo", {}, signal)) as Info;
    Object.assign(place, { fromSeq: info.nextSeq, logId: info.logId });
  }
  const asked = { ...place, ...only, waitMs: WAIT_MS, limit: PAGE };
  const found = (await connection.ask("getEvents", asked, signal)) as EventPage;
  yield null;
  if (found.gap) yield { event: "events:gap", time: Date.now(), data: { ...found.gap } };
  for (const event of found.events) {
    place.fromSeq = (event.seq ?? 0) + 1;
    yield event as Said;
  }
  Object.assign(place, { fromSeq: found.nextSeq, logId: found.logId });
}

function defined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as never;
}

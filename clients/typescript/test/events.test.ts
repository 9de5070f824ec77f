/** Following events from a daemon in memory that breaks off wherever a test wants. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { promisify } from "node:util";
import { Client, UnauthenticatedError, Unreachable, type HeardEvent } from "../src/index.js";
import { FakeDaemon, refusal } from "./fake.js";

async function heard(events: AsyncIterable<HeardEvent>, count: number, each: (got: number) => void = () => {}): Promise<HeardEvent[]> {
  const got: HeardEvent[] = [];
  for await (const event of events) {
    got.push(event);
    if (got.length === count) break;
    each(got.length);
  }
  return got;
}

function filled(count: number): FakeDaemon {
  const daemon = new FakeDaemon();
  for (let index = 1; index <= count; index++) daemon.happen(`key ${index}`);
  return daemon;
}

const turn = promisify(setImmediate);
const seqs = (events: HeardEvent[]): (number | undefined)[] => events.map((event) => event.seq);

test("every seq comes once though the socket breaks after each event", async () => {
  const daemon = filled(1);
  const got = await heard(new Client(daemon).events({ fromSeq: 0 }), 8, (count) => {
    daemon.sockets.at(-1)!.closed(1006);
    daemon.happen(`key ${count + 1}`);
  });
  assert.deepEqual(seqs(got), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(daemon.sockets.length, 8);
});

test("an event that is told twice is heard once", async () => {
  const daemon = filled(2);
  const got = await heard(new Client(daemon).events({ fromSeq: 1 }), 3, (count) => {
    if (count !== 2) return;
    daemon.sockets[0]!.tell(daemon.log[0]!);
    daemon.sockets[0]!.tell(daemon.log[1]!);
    daemon.happen("the third");
  });
  assert.deepEqual(seqs(got), [1, 2, 3]);
});

test("from now is kept in mind over a break before the first event", async () => {
  const daemon = filled(3);
  const events = new Client(daemon).events();
  const first = events.next();
  while (daemon.sockets[0]?.asked === undefined) await turn();
  daemon.sockets[0].closed(1001);
  daemon.happen("while nobody listened");
  assert.equal((await first).value?.seq, 4);
  assert.equal(daemon.sockets[1]!.asked!["fromSeq"], 4);
  await events.return();
});

test("progress without events moves the place from which the next connection goes on", async () => {
  const daemon = filled(1);
  const got = await heard(new Client(daemon).events({ fromSeq: 1 }), 2, () => {
    daemon.sockets[0]!.tell({ event: "events:progress", time: 0, data: { nextSeq: 40 } });
    daemon.sockets[0]!.closed(1006);
    daemon.log.push(...Array.from({ length: 40 }, (_, index) => ({ ...daemon.log[0], seq: index + 2 })));
  });
  assert.deepEqual(seqs(got), [1, 40]);
});

test("another log is told as a gap, and its events follow", async () => {
  const daemon = filled(2);
  const got = await heard(new Client(daemon).events({ fromSeq: 1 }), 4, (count) => {
    if (count === 3) daemon.happen("new 2");
    if (count !== 2) return;
    daemon.log.length = 0;
    daemon.log.push({ seq: 1, event: "key:created", time: 0, data: { label: "new 1" } });
    daemon.logId = "log 2";
    daemon.sockets[0]!.closed(1006);
  });
  assert.deepEqual(got.map((event) => event.seq ?? event.event), [1, 2, "events:gap", 2]);
});

test("a reader that falls far behind loses the connection and no event", async () => {
  const daemon = filled(2_500);
  const got = await heard(new Client(daemon).events({ fromSeq: 1 }), 2_500);
  assert.deepEqual(seqs(got), daemon.log.map((event) => event["seq"]));
  assert.equal(daemon.sockets.length, 3);
});

test("a renewed token is read again, a revoked one ends the iteration", async () => {
  const daemon = filled(1);
  const events = new Client(daemon).events({ fromSeq: 1 });
  await events.next();
  daemon.accepted = daemon.token = "second";
  daemon.happen("under the second token");
  daemon.sockets[0]!.closed(1001);
  assert.equal((await events.next()).value?.seq, 2);
  daemon.accepted = "third";
  daemon.sockets.at(-1)!.closed(4401);
  await assert.rejects(events.next(), UnauthenticatedError);
});

test("the first connection tells why it fails", async () => {
  const daemon = new FakeDaemon();
  daemon.accepted = "another";
  await assert.rejects(new Client(daemon).events().next(), UnauthenticatedError);
  daemon.accepted = "first";
  daemon.webSockets = false;
  daemon.answers = { getInfo: () => Promise.reject(new Unreachable("nobody", true)) };
  await assert.rejects(new Client(daemon).events().next(), Unreachable);
});

test("where no WebSocket opens the events are read page by page", async () => {
  const daemon = filled(3);
  daemon.webSockets = false;
  assert.deepEqual(seqs(await heard(new Client(daemon).events({ fromSeq: 2 }), 2)), [2, 3]);
});

test("a daemon that stops, or asks to wait, is asked again", async () => {
  const daemon = filled(2);
  daemon.webSockets = false;
  const events = new Client(daemon).events({ fromSeq: 1 });
  await events.next();
  await events.next();
  const refusals = [refusal("shutting_down", -32010), refusal("busy", -32010, { retryAfterMs: 1 })];
  daemon.happen("after the refusals");
  daemon.answers = {
    getEvents: () => {
      const next = refusals.shift();
      if (next) throw next;
      return { events: daemon.log.slice(2), nextSeq: daemon.nextSeq, logId: daemon.logId };
    },
  };
  assert.equal((await events.next()).value?.seq, 3);
  assert.deepEqual(refusals, []);
});

test("a connection that fell silent is given up, and the next one goes on", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const daemon = filled(1);
  const events = new Client(daemon).events({ fromSeq: 1 });
  await events.next();
  const second = events.next();
  daemon.log.push({ ...daemon.log[0], seq: 2 });
  context.mock.timers.tick(45_000);
  for (let count = 0; count < 20; count++) await turn();
  context.mock.timers.tick(1_000);
  assert.equal((await second).value?.seq, 2);
  await events.return();
});

test("the iteration ends with its signal and with the client", async () => {
  const daemon = filled(0);
  const client = new Client(daemon);
  const controller = new AbortController();
  const [one, other] = [client.events({ signal: controller.signal }).next(), client.events().next()];
  while (daemon.sockets.length < 2) await turn();
  controller.abort();
  assert.deepEqual(await one, { value: undefined, done: true });
  client.close();
  assert.deepEqual(await other, { value: undefined, done: true });
});

/** What the compiler refuses and what it knows: most of this test is done before it runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, type Calls, type EventName, type HeardEvent, type PublicKey } from "../src/index.js";
import { FakeDaemon } from "./fake.js";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type NamesIn<G> = G extends AsyncGenerator<infer E extends { event: string }, void> ? E["event"] : never;
const same = <A, B>(_: Same<A, B>): void => {};

test("an event has the data of its name, and only those asked for come", async () => {
  const client = new Client(new FakeDaemon());
  const narrow = client.events({ events: ["signing-request:received"] });
  same<NamesIn<typeof narrow>, "signing-request:received" | "events:gap">(true);
  const prefixed = client.events({ events: ["peer:*"] });
  same<NamesIn<typeof prefixed>, Extract<EventName, `peer:${string}`> | "events:gap">(true);
  const told = (event: HeardEvent): PublicKey[] | undefined =>
    event.event === "session:aborted" ? [...event.data.culprits] : undefined;
  assert.equal(told({ event: "events:gap", time: 0, data: { from: 1, to: 2 } }), undefined);
  client.close();
});

test("wrong calls are refused before they are made", () => {
  const client = new Client(new FakeDaemon());
  const wrong = [
    // @ts-expect-error a scheme that there is not
    () => client.createKey({ scheme: "ecdsa" }),
    // @ts-expect-error a parameter that is needed
    () => client.getSession({}),
    // @ts-expect-error a parameter that there is not
    () => client.getInfo({ verbose: true }),
    // @ts-expect-error an event that there is not
    () => client.events({ events: ["session:finished"] }),
    // @ts-expect-error a method that there is not
    () => client.call("getinfo", {}),
  ];
  same<Calls["createKey"][0]["scheme"], "lotus" | "bip340">(true);
  assert.equal(wrong.length, 5);
});

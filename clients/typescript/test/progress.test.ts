/** What followRequest tells of a request, from a daemon in memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, RequestProgress, type Session, type SigningRequest } from "../src/index.js";
import { FakeDaemon, refusal } from "./fake.js";

const signers = ["02aa", "02bb"].map((publicKey, index) => ({ publicKey, joined: index === 0 }));
const request = { requestId: "00", sessionId: "01", state: "open", expiresAt: 9, signers } as unknown as SigningRequest;

function sessionIn(phase: string): Session {
  const states = [
    { publicKey: "02aa", joined: true, nonce: true, partialSignature: false },
    { publicKey: "02bb", joined: true, nonce: false, partialSignature: true },
  ];
  return { phase, deadline: 5, signers: states } as unknown as Session;
}

test("who is missing goes by what the phase asks for", () => {
  const inPhase = (phase: string): RequestProgress => new RequestProgress(request, sessionIn(phase));
  assert.deepEqual(["joining", "ready", "round1", "round2"].map((phase) => inPhase(phase).missing), [[], ["02bb"], ["02bb"], ["02aa"]]);
  assert.deepEqual(new RequestProgress(request, undefined).missing, ["02bb"]);
  assert.deepEqual(inPhase("aborted").missing, ["02bb"]);
  assert.deepEqual([inPhase("round1").phase, inPhase("aborted").phase], ["round1", "open"]);
  assert.deepEqual([inPhase("round1").deadline, new RequestProgress(request, undefined).deadline], [5, 9]);
  const over = new RequestProgress({ ...request, state: "complete" }, sessionIn("complete"));
  assert.deepEqual([over.ended, over.missing, over.phase], [true, [], "complete"]);
});

test("a request is told at once, after each change of it, and no more once it has ended", async () => {
  const daemon = new FakeDaemon();
  const states = ["open", "open", "signing", "complete"];
  daemon.answers = {
    getSigningRequest: () => ({ ...request, state: states.length > 1 ? states.shift() : states[0] }),
    getSession: () => {
      throw refusal("not_found", -32010);
    },
  };
  const told: string[] = [];
  for await (const progress of new Client(daemon).followRequest("00")) {
    told.push(progress.phase);
    for (let count = 0; told.length === 1 && count < 4; count++) daemon.happen("something of this request");
  }
  assert.deepEqual(told, ["open", "signing", "complete"]);
});

// What the peer can be told about signing: docs/protocol.md, sections 4 and 7.
import { randomBytes } from "@noble/hashes/utils.js";
import { get } from "./discovery.mjs";
import { genuine, proven } from "./signing/blame.mjs";
import { SCHEMES } from "./signing/schemes.mjs";
import { peerIdOf } from "./signing/sessions.mjs";
import { transactionOf } from "./signing/transactions.mjs";
import { hex, unhex } from "./wire/hashes.mjs";
import { checkedRequest, opened } from "./wire/records.mjs";

const HOUR_MS = 3_600_000;
const ROUND_MS = 600_000;
const TAPROOT = [[2, null]];

/** One item, or two where a transaction is shown, which they spend by the key with a Taproot tweak. */
function itemsOf(scheme, keys, shows) {
  const tweaks = shows ? TAPROOT : [];
  const aggregate = SCHEMES[scheme].aggregate(keys, tweaks).pubkey;
  const { messages, metadata } = shows ? transactionOf(scheme, aggregate, 2) : { messages: [Buffer.from(randomBytes(32))], metadata: {} };
  return { items: messages.map((msg, index) => [msg, tweaks, aggregate, shows ? index : null]), metadata };
}

function requestOf(me, others, shows, maxAttempts) {
  const keys = [me.pubkey, ...others.map(unhex)].toSorted(Buffer.compare);
  const created = Date.now();
  return me.seal("request", {
    ...itemsOf(me.scheme, keys, shows),
    keys,
    order: keys.map((_, index) => index),
    salt: Buffer.from(randomBytes(16)),
    scheme: me.scheme,
    created,
    creator: me.pubkey,
    expires: created + HOUR_MS,
    election: null,
    round_ms: ROUND_MS,
    max_attempts: maxAttempts,
  });
}

/** The advertisement of a key: from the directory that was pulled, else from the DHT. */
async function advertisementOf(world, key) {
  const line = world.directory.log.newest(unhex(key));
  if (line !== undefined) return line.signed.record;
  const [found] = await get(world, key);
  if (found === undefined) throw new Error(`nothing is known of ${key}`);
  return found.signed.record;
}

/** The peer that acts for a key, connected. */
async function reached(world, key) {
  const { peer, addrs } = await advertisementOf(world, key);
  const peerId = peerIdOf(peer);
  if (world.node.getConnections(peerId).length === 0) await world.sessions.dial(peerId, addrs);
  return peerId;
}

export function signingCommands(world) {
  const { sessions, keys } = world;
  const carryOut = async ({ request }, action) => {
    sessions.carryOut(request, action);
    return {};
  };
  return {
    // Asks the owners of other keys, and joins.
    ask: async ({ key, others, shows = false, maxAttempts = 5 }) => {
      const peers = await Promise.all(others.filter((each) => !keys.has(each)).map((each) => reached(world, each)));
      const request = requestOf(keys.get(key), others, shows, maxAttempts);
      sessions.begin(keys.get(key), request, peers);
      sessions.carryOut(hex(request.id), (asked) => [request, ...asked.join()]);
      return { request: hex(request.id), messages: request.record.items.map(([msg]) => hex(msg)), aggregate: hex(request.record.items[0][2]) };
    },
    hold: async () => {
      sessions.holding = true;
      return {};
    },
    lie: async ({ about }) => {
      sessions.lie = about;
      return {};
    },
    join: (values) => carryOut(values, (asked) => asked.join()),
    decline: (values) => carryOut(values, (asked) => asked.give("decline", values.reason)),
    cancel: (values) => carryOut(values, (asked) => asked.give("cancel", values.reason)),
    lose: (values) => carryOut(values, (asked) => asked.lose()),
    // What envelopes prove, to this peer.
    judge: async ({ request, evidence }) => {
      const found = proven(checkedRequest(opened(unhex(request)), Date.now()), genuine(evidence.map(unhex)));
      return { proven: found.map(({ pubkey, reason }) => [hex(pubkey), reason]) };
    },
    // What this peer found, for others to judge.
    evidence: async ({ request }) => {
      const asked = sessions.named(request);
      return { request: hex(asked.request.envelope), evidence: asked.evidence.map(({ envelope }) => hex(envelope)) };
    },
    // Reads the notices of the directory that was pulled, and fetches what asks its keys; from whom.
    fetchNoticed: async () => {
      const notices = [...world.directory.log.lines.values()].filter(({ signed }) => signed.type === "notice").map(({ signed }) => signed.record);
      const asking = await Promise.all(notices.map((each) => world.noticed(each)));
      return { from: notices.filter((_, index) => asking[index]).map(({ peer }) => peerIdOf(peer).toString()) };
    },
  };
}

// The libp2p node of docs/protocol.md, section 1: js-libp2p as it comes, with Noise, Yamux and an ed25519 identity.
import { noise } from "@chainsafe/libp2p-noise";
import { yamux } from "@chainsafe/libp2p-yamux";
import { circuitRelayTransport } from "@libp2p/circuit-relay-v2";
import { generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import { gossipsub } from "@libp2p/gossipsub";
import { identify } from "@libp2p/identify";
import { kadDHT, passthroughMapper } from "@libp2p/kad-dht";
import { ping } from "@libp2p/ping";
import { createLibp2p } from "libp2p";
import { hex } from "../wire/hashes.mjs";
import { checked, isNewer, opened } from "../wire/records.mjs";
import { Refused } from "../wire/refused.mjs";

/** Section 9: what may stand under a key, and which of several is the newest. */
function dht(network) {
  const namespace = `musigd-${network}`;
  const stored = (value) => checked(opened(value), Date.now(), false);
  const validate = (key, value) => {
    const { type, record } = stored(value);
    if (type !== "withdrawal" && !(type === "advertisement" && record.types.length > 0)) throw new Refused("bad_encoding", type);
    if (Buffer.from(key).toString() !== `/${namespace}/${hex(record.pubkey)}`) throw new Refused("bad_encoding", "the key of another record");
  };
  const select = (_, values) => {
    const all = values.map(stored);
    return all.reduce((best, each, index) => (isNewer(each, all[best]) ? index : best), 0);
  };
  return kadDHT({
    protocol: `/musigd/${network}/kad/1`,
    clientMode: false,
    peerInfoMapper: passthroughMapper, // loopback addresses too
    validators: { [namespace]: validate },
    selectors: { [namespace]: select },
  });
}

/**
 * Everybody may be dialled, which in a browser js-libp2p refuses by itself where there is no TLS. Who can be reached
 * through a relay only dials nobody else either, so that what is said goes through it.
 */
function gater([first = ""]) {
  const [relay, behind] = first.split("/p2p-circuit");
  return { denyDialMultiaddr: (addr) => behind !== undefined && !addr.toString().startsWith(relay) };
}

/** `transports`: TCP, WebSocket or both; `listen`: where, nowhere if empty. */
export async function startNode(network, seed, transports, listen) {
  const node = await createLibp2p({
    privateKey: await generateKeyPairFromSeed("Ed25519", seed),
    addresses: { listen },
    transports: [...transports, circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    connectionGater: gater(listen),
    services: {
      identify: identify(),
      ping: ping(),
      dht: dht(network),
      pubsub: gossipsub({ globalSignaturePolicy: "StrictSign", allowPublishToZeroTopicPeers: true, runOnLimitedConnection: true }),
    },
  });
  await node.services.dht.setMode("server");
  return node;
}

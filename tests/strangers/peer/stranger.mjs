// A peer of musigd's network, written from docs/protocol.md.
import { discoveryCommands, TYPE } from "./discovery.mjs";
import { Directory } from "./network/directory.mjs";
import { startNode } from "./network/node.mjs";
import { signingCommands } from "./signing_commands.mjs";
import { peerIdOf, Sessions } from "./signing/sessions.mjs";
import { hex, same, tagOf, unhex } from "./wire/hashes.mjs";
import { checked, opened } from "./wire/records.mjs";

/** What the commands work on. `keys`: identities by hex key; `records`: the newest advertisement of each. */
class World {
  constructor(node, network, seed, tell) {
    const fault = (peerId, error) => tell({ said: "fault", peer: peerId.toString(), reason: error.reason ?? error.name, message: error.message });
    Object.assign(this, { node, network, seed, tell, fault, keys: new Map(), records: new Map() });
    this.topic = `musigd/${network}/signers/${TYPE}`;
    this.requests = `musigd/${network}/requests`;
    this.directory = new Directory(node, network, (peerId, op) => tell({ said: "question", op, from: peerId.toString() }), fault);
    this.sessions = new Sessions(node, network, this.keys, tell, fault);
  }

  /** The daemon that it is connected to. */
  get connected() {
    return this.node.getPeers()[0];
  }

  /** Where others can dial it, as in records. */
  get addrs() {
    return this.node.getMultiaddrs().map((addr) => Buffer.from(addr.decapsulateCode(421).bytes));
  }

  async listen() {
    await this.directory.links.listen();
    await this.sessions.links.listen();
    this.node.services.pubsub.addEventListener("message", ({ detail }) => {
      if (detail.topic === this.topic || detail.topic === this.requests) this.#heard(detail.data);
    });
    for (const topic of [this.topic, this.requests]) this.node.services.pubsub.subscribe(topic);
  }

  /** Somebody asks: if it is one of the own keys, its open requests are fetched. True if it is. */
  async noticed({ peer, salt, tags }) {
    const asks = [...this.keys.values()].some(({ pubkey }) => tags.some((tag) => same(tag, tagOf(pubkey, salt))));
    const peerId = peerIdOf(peer);
    if (!asks || peerId.equals(this.node.peerId)) return false;
    await this.node.dial(peerId); // where it is, the DHT says
    await this.sessions.fetch(peerId, [...this.records.values()]);
    return true;
  }

  #heard(data) {
    try {
      const { type, record } = checked(opened(data), Date.now(), true);
      this.tell({ said: "heard", type, publicKey: hex(record.pubkey ?? record.peer) });
      if (type === "notice") this.noticed(record).catch((error) => this.tell({ said: "unreached", peer: hex(record.peer), message: error.message }));
    } catch (error) {
      this.fault(this.node.peerId, error);
    }
  }
}

/** `seed` in hex; `tell(what)` for everything that happens. Commands are `{do, number, ...}`, answers have the number. */
export async function startStranger({ network, seed, transports, listen, tell }) {
  const node = await startNode(network, unhex(seed), transports, listen);
  const world = new World(node, network, unhex(seed), tell);
  const commands = { ...discoveryCommands(world), ...signingCommands(world) };
  await world.listen();
  tell({ said: "ready", peer: node.peerId.toString(), addrs: node.getMultiaddrs().map(String) });
  const told = ({ do: what, number, ...values }) => {
    commands[what](values).then(
      (answer) => tell({ said: "done", number, ...answer }),
      (error) => tell({ said: "failed", number, message: `${error.name}: ${error.message}` }),
    );
  };
  return { told, stop: () => node.stop() };
}

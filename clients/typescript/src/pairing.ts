// Pairing links: two people who know each other exchange one instead of looking for each other on the market.
import { MusigdError } from "./errors.js";

const BEGIN = "musigd://pair?";
const LONGEST = 2_000; // characters
const MOST_ADDRESSES = 4;
const LONGEST_NICKNAME = 100;
const INCOMPLETE = "this link is incomplete: copy it whole";
const KEY = /^0[23][0-9a-f]{64}$/;
const ADDRESS = /^\/[!-~]+\/p2p\/([1-9A-HJ-NP-Za-km-z]+)$/;
const NETWORK = /^[a-z0-9-]{1,32}$/;
const ONE_LINE = /^(?:[^\p{C}\p{Z}]| )*$/u;
type Members = readonly (readonly [name: string, value: string])[];

/** The text is not a pairing link, or not all of one; the sentence says why. */
export class NoPairing extends MusigdError {
  override name = "NoPairing";
}

/** What a link says; nothing in it is secret. Whoever passes it on can replace the key: compare the key with its owner. */
export interface Pairing {
  /** One to four, where the daemon can be dialled, each with the same peer id at its end. */
  readonly multiaddrs: readonly string[];
  /** The key that signs there: 33 bytes in hex. */
  readonly publicKey: string;
  readonly scheme: "lotus" | "bip340";
  readonly nickname?: string;
  /** That of the daemon. */
  readonly network?: string;
}

/** The link as text, as `musig-cli pair` writes it. Throws NoPairing for values that a link cannot hold. */
export function pairingLink(pairing: Pairing): string {
  requireValid(pairing);
  const members: (readonly [string, string])[] = pairing.multiaddrs.map((address) => ["addr", address]);
  members.push(["key", pairing.publicKey], ["scheme", pairing.scheme]);
  if (pairing.network) members.push(["network", pairing.network]);
  if (pairing.nickname) members.push(["name", pairing.nickname]);
  return BEGIN + [["sum", sumOf(members)] as const, ...members].map(([name, value]) => `${name}=${written(value)}`).join("&");
}

/** What a link says; unknown members are ignored. Throws NoPairing, also for a link that was not copied whole. */
export function readPairing(link: string): Pairing {
  if (!link.startsWith(BEGIN)) throw new NoPairing(`a pairing link begins with ${BEGIN}: copy it whole`);
  if (link.length > LONGEST) throw new NoPairing(`a pairing link has at most ${LONGEST} characters`);
  const members = [...new URL(link).searchParams];
  const sums = members.filter(([name]) => name === "sum");
  if (sums.length && (sums.length > 1 || sums[0]![1] !== sumOf(members.filter(([name]) => name !== "sum")))) {
    throw new NoPairing(INCOMPLETE);
  }
  const pairing = {
    multiaddrs: members.filter(([name]) => name === "addr").map(([, address]) => address),
    publicKey: one(members, "key"),
    scheme: one(members, "scheme") as Pairing["scheme"],
    ...(has(members, "name") && { nickname: one(members, "name") }),
    ...(has(members, "network") && { network: one(members, "network") }),
  };
  requireValid(pairing);
  return pairing;
}

function has(members: Members, wanted: string): boolean {
  return members.some(([name]) => name === wanted);
}

function one(members: Members, wanted: string): string {
  const [first, ...others] = members.filter(([name]) => name === wanted);
  if (!first) throw new NoPairing(`a pairing link has one ${wanted}, and this one has none: copy it whole`);
  if (others.length) throw new NoPairing(`a pairing link has one ${wanted}, and this one has ${others.length + 1}`);
  return first[1];
}

function requireValid({ multiaddrs, publicKey, scheme, nickname = "", network }: Pairing): void {
  if (multiaddrs.length < 1 || multiaddrs.length > MOST_ADDRESSES) throw new NoPairing(`a pairing link has 1 to ${MOST_ADDRESSES} addr`);
  const peers = new Set(multiaddrs.map((address) => ADDRESS.exec(address)?.[1]));
  if (peers.has(undefined) || peers.size !== 1) throw new NoPairing("each addr of a pairing link ends in /p2p/ and the same peer id");
  if (!KEY.test(publicKey)) throw new NoPairing("the key of a pairing link has 33 bytes in lower-case hex, the first 02 or 03");
  if (scheme !== "lotus" && scheme !== "bip340") throw new NoPairing("the scheme of a pairing link is lotus or bip340");
  if (network !== undefined && !NETWORK.test(network)) {
    throw new NoPairing("the network of a pairing link is a name of lower-case letters, digits and -");
  }
  if ([...nickname].length > LONGEST_NICKNAME || !ONE_LINE.test(nickname)) {
    throw new NoPairing(`the name in a pairing link is one line of at most ${LONGEST_NICKNAME} characters`);
  }
}

function written(value: string): string {
  return encodeURIComponent(value).replaceAll("%2F", "/");
}

/** CRC-32 of the values as they are read: programs that pass a link on may write its characters in another way. */
function sumOf(members: Members): string {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(members.map(([name, value]) => `${name}=${value}`).join("&"))) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0");
}

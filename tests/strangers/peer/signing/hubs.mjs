// docs/protocol.md, section 7: whom the signers of a large request meet.
import { same, tagged, u32be } from "../wire/hashes.mjs";

export const MESH = 16;
const SPARES = 3;

/** All signers in the order in which they are hubs: the creator, then by their rank. */
export function hubOrder(request, n, creator) {
  const rank = (index) => tagged("musigd/hub/v1", request, u32be(index));
  const others = Array.from({ length: n }, (_, index) => index).filter((index) => index !== creator);
  return [creator, ...others.toSorted((a, b) => Buffer.compare(rank(a), rank(b)))];
}

/** The peers of the hubs in order. `peerOf(index)`: that of a signer's join, null while there is none. */
export function hubPeers({ id, record: { keys, creator } }, peerOf) {
  const order = hubOrder(id, keys.length, keys.findIndex((key) => same(key, creator)));
  const found = [];
  let hubs = 0;
  for (const index of order) {
    const peer = peerOf(index);
    if (peer !== null && found.some((each) => same(each, peer))) continue;
    if (peer !== null) found.push(peer);
    hubs += 1;
    if (hubs > SPARES) break;
  }
  return found;
}

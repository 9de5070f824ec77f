// docs/protocol.md, the beginning and section 3: hashes, ids and bytes.
import { sha256 as hashed } from "@noble/hashes/sha2.js";

export const hex = (bytes) => Buffer.from(bytes).toString("hex");
export const unhex = (text) => Buffer.from(text, "hex");
export const same = (a, b) => Buffer.compare(a, b) === 0;
export const u32be = (number) => Buffer.from([number >>> 24, number >>> 16, number >>> 8, number]);
export const sha256 = (...parts) => Buffer.from(hashed(Buffer.concat(parts)));
export const tagged = (tag, ...data) => sha256(sha256(Buffer.from(tag)), sha256(Buffer.from(tag)), ...data);

export const sessionId = (request, attempt) => tagged("musigd/session/v1", request, u32be(attempt));
export const joinsetOf = (session, joins) => tagged("musigd/joinset/v1", session, ...joins);
export const noncesetOf = (joinset, pubnonces) => tagged("musigd/nonceset/v1", joinset, ...pubnonces.flat());
export const tagOf = (pubkey, salt) => tagged("musigd/tag/v1", pubkey, salt).subarray(0, 8);

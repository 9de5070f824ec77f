// docs/protocol.md, section 2: the one encoding of each value, and nothing else is read.
import { Refused } from "./refused.mjs";

const MAX_DEPTH = 6;
const MAX_VALUES = 65_536;
const MAX_KEY = 24;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
// What combines with others and came after Unicode 14.0 counts as unassigned: it combines with nothing.
const CAME_LATER =
  /[\u0897\u{105c9}\u{105d2}\u{105da}\u{105e4}\u{10d69}-\u{10d6d}\u{10efd}-\u{10eff}\u{11382}-\u{11385}\u{1138b}\u{1138e}\u{11390}\u{11391}\u{113b8}\u{113bb}\u{113c2}\u{113c5}\u{113c7}-\u{113c9}\u{113ce}-\u{113d0}\u{11f41}\u{11f42}\u{1611e}-\u{16129}\u{1612f}\u{16d63}\u{16d67}-\u{16d6a}\u{1e08f}\u{1e4ec}-\u{1e4ef}\u{1e5ee}\u{1e5ef}]/u;
const isNfc = (text) => text.split(CAME_LATER).every((piece) => piece === piece.normalize("NFC"));

const bad = (wrong) => new Refused("bad_encoding", wrong);

class Reader {
  constructor(data) {
    this.data = data;
    this.at = 0;
    this.room = MAX_VALUES;
  }

  take(count) {
    if (count > this.data.length - this.at) throw bad("a length beyond the end");
    this.at += count;
    return this.data.subarray(this.at - count, this.at);
  }

  /** The argument of a head: a number or a length, in its shortest form. */
  argument(short) {
    if (short < 24) return short;
    if (short > 27) throw bad("an indefinite or reserved length");
    const size = 1 << (short - 24);
    const number = this.take(size).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    if (number < (size === 1 ? 24n : 1n << BigInt(4 * size))) throw bad("not the shortest form");
    if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw bad("2^53 or more");
    return Number(number);
  }

  enter(count, depth) {
    this.room -= count;
    if (depth === 0 || this.room < 0) throw bad("too deep, or too many items");
  }

  text(length) {
    const raw = this.take(length);
    let text;
    try {
      text = utf8.decode(raw);
    } catch {
      throw bad("text that is no UTF-8");
    }
    if (!isNfc(text)) throw bad("text that is not in NFC");
    return text;
  }

  map(count, depth) {
    const fields = Object.create(null);
    let before = null;
    for (let pair = 0; pair < count; pair++) {
      const start = this.at;
      const head = this.take(1)[0];
      if (head >> 5 !== 3) throw bad("a map key that is not text");
      const length = this.argument(head & 31);
      if (length > MAX_KEY) throw bad("a map key of more than 24 bytes");
      const name = this.text(length);
      const encoded = this.data.subarray(start, this.at);
      if (before !== null && Buffer.compare(before, encoded) >= 0) throw bad("map keys out of order, or twice");
      before = encoded;
      fields[name] = this.value(depth - 1);
    }
    return fields;
  }

  value(depth) {
    const head = this.take(1)[0];
    const major = head >> 5;
    if (major === 7) {
      if (head < 0xf4 || head > 0xf6) throw bad("a float or another simple value");
      return [false, true, null][head - 0xf4];
    }
    if (major === 1 || major === 6) throw bad("a negative number or a tag");
    const count = this.argument(head & 31);
    if (major === 0) return count;
    if (major === 2) return this.take(count);
    if (major === 3) return this.text(count);
    if (count > this.data.length - this.at) throw bad("a length beyond the end");
    this.enter(count, depth);
    return major === 4 ? Array.from({ length: count }, () => this.value(depth - 1)) : this.map(count, depth);
  }
}

/** The value that all of these bytes are the encoding of; throws Refused. */
export function decode(data) {
  const reader = new Reader(data);
  const value = reader.value(MAX_DEPTH);
  if (reader.at !== data.length) throw bad("something behind the value");
  return value;
}

function head(major, count) {
  if (count < 24) return Buffer.from([(major << 5) | count]);
  const size = count < 2 ** 8 ? 1 : count < 2 ** 16 ? 2 : count < 2 ** 32 ? 4 : 8;
  const out = Buffer.alloc(1 + size);
  out[0] = (major << 5) | (24 + Math.log2(size));
  if (size === 8) out.writeBigUInt64BE(BigInt(count), 1);
  else out.writeUIntBE(count, 1, size);
  return out;
}

/** The bytes of a value: numbers, Uint8Arrays, texts, arrays, plain objects, true, false and null. */
export function encode(value) {
  if (value === null || typeof value === "boolean") return Buffer.from([value === null ? 0xf6 : value ? 0xf5 : 0xf4]);
  if (typeof value === "number") return head(0, value);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(encode)]);
  const pairs = Object.entries(value).map(([name, each]) => [encode(name), encode(each)]);
  pairs.sort(([a], [b]) => Buffer.compare(a, b));
  return Buffer.concat([head(5, pairs.length), ...pairs.flat()]);
}

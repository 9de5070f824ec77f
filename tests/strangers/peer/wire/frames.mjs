// docs/protocol.md, sections 7 and 8: frames, questions and answers as bytes.
import { decode, encode } from "./cbor.mjs";
import { b8, b16, b32, b64, isBytes, isList, isNumber, oneOf, orNull, uint } from "./forms.mjs";
import { u32be } from "./hashes.mjs";
import { opened } from "./records.mjs";
import { Refused } from "./refused.mjs";

const LARGEST = 1_048_576;
const LARGEST_PAYLOAD = 512 * 1024;
const bad = (wrong) => new Refused("bad_encoding", wrong);
const bitmap = isBytes(0, 13);

const FRAMES = {
  env: [(v) => v instanceof Uint8Array],
  have: [b32, isNumber(1, 16), bitmap, bitmap, bitmap],
  complete: [b32, isList(b64, 1, 100)],
  fetch: [isList(isBytes(1, 10_000), 1, 16)],
  answer: [b32, oneOf("unknown_request", "not_yet", "busy")],
};

const envelope = isBytes(1, 16_384);
const statement = (v) => Array.isArray(v) && v.length === 2 && envelope(v[0]) && orNull(envelope)(v[1]);
const statements = isList(statement, 0, 4_096);
const shortIds = (most) => (v) => isBytes(0, 8 * most)(v) && v.length % 8 === 0;
const cursor = [b16, uint, isNumber(1, 32_768)];
const difference = (v) => Array.isArray(v) && v.length === 2 && isNumber(0, 4_095)(v[0]) && shortIds(32_768)(v[1]);
const differences = (v) => isList(difference, 0, 4_096)(v) && v.every((row, index) => index === 0 || row[0] > v[index - 1][0]);

const QUESTIONS = {
  hello: [b16, uint, uint, orNull(envelope)],
  since: cursor,
  page: cursor,
  reconcile: [oneOf(8, 12), (v) => isBytes(8 * 256)(v) || isBytes(8 * 4_096)(v)],
  "fetch-ids": [shortIds(512)],
  push: [statements],
  peers: [isNumber(1, 32_768)],
};

const ANSWERS = {
  greeting: [b16, uint, uint, uint],
  "short-ids": [b16, uint, uint, shortIds(32_768)],
  statements: [b16, uint, uint, statements],
  differences: [differences, (v) => typeof v === "boolean"],
  taken: [isNumber(0, 4_096)],
  nodes: [isList(envelope, 0, 256)],
  busy: [isNumber(1, 604_800_000)],
};

function read(table, data, largest) {
  if (data.length > largest) throw bad("too long");
  const value = decode(data);
  if (!Array.isArray(value) || typeof value[0] !== "string" || !Object.hasOwn(table, value[0])) throw bad("an unknown kind");
  const [kind, ...values] = value;
  const rules = table[kind];
  if (rules.length !== values.length || !rules.every((rule, index) => rule(values[index]))) throw bad(`a ${kind} out of bounds`);
  return value;
}

export const readQuestion = (data) => read(QUESTIONS, data, LARGEST_PAYLOAD);
export const readAnswer = (data) => read(ANSWERS, data, LARGEST_PAYLOAD);

/** A session frame; the envelopes in it are opened, no signature is checked. */
export function readFrame(data) {
  const [kind, ...values] = read(FRAMES, data, LARGEST);
  if (kind === "env") return { kind, values, signed: [opened(values[0])] };
  if (kind !== "fetch") return { kind, values, signed: [] };
  const signed = values[0].map(opened);
  if (!signed.every(({ type }) => type === "advertisement")) throw bad("a fetch that shows something else");
  return { kind, values, signed };
}

export const frame = (...values) => encode(values);
export const withLength = (data) => Buffer.concat([u32be(data.length), data]);
export const asked = (kind, number, payload) => Buffer.concat([Buffer.from([kind]), u32be(number), payload]);

/** Cuts what a stream brings into frames. */
export class Cutter {
  rest = Buffer.alloc(0);

  *take(data) {
    this.rest = Buffer.concat([this.rest, data]);
    while (this.rest.length >= 4) {
      const length = this.rest.readUInt32BE(0);
      if (length === 0 || length > LARGEST) throw bad("an empty or too long frame");
      if (this.rest.length < 4 + length) return;
      const found = this.rest.subarray(4, 4 + length);
      this.rest = this.rest.subarray(4 + length);
      yield found;
    }
  }
}

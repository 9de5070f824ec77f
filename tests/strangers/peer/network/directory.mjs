// docs/protocol.md, section 8: the directory, asked and answered over one stream.
import { randomBytes } from "@noble/hashes/utils.js";
import { encode } from "../wire/cbor.mjs";
import { asked, readAnswer, readQuestion } from "../wire/frames.mjs";
import { hex, same } from "../wire/hashes.mjs";
import { Links } from "./links.mjs";
import { checked, isNewer, opened } from "../wire/records.mjs";

const [QUESTION, ANSWER, REFUSAL] = [0, 1, 2];
const AGREE = ["scheme", "pubkey", "peer", "types", "ts", "exp"];
const PAGE = 100;

/** What is known: verified statements in the order in which they came, one for each subject. */
export class Log {
  name = randomBytes(16);
  head = 0;
  lines = new Map(); // by number

  subject({ type, alg, record }) {
    return type === "notice" ? Symbol("each stands alone") : type === "node" ? `node ${hex(record.peer)}` : `${alg} ${hex(record.pubkey)}`;
  }

  /** Takes a statement; true if it is here afterwards. Throws Refused for one that fails a check. */
  take([envelope, entryEnvelope], live) {
    const signed = checked(opened(envelope), Date.now(), live);
    if (signed.type === "advertisement" && !this.#entryAgrees(signed, entryEnvelope, live)) return false;
    for (const [number, line] of this.lines) {
      if (same(line.signed.id, signed.id)) return true;
      if (line.subject !== this.subject(signed)) continue;
      if (!isNewer(signed, line.signed)) return false;
      this.lines.delete(number);
    }
    this.lines.set(++this.head, { signed, subject: this.subject(signed), statement: [envelope, entryEnvelope] });
    return true;
  }

  #entryAgrees(signed, entryEnvelope, live) {
    if (entryEnvelope === null) return false;
    const { type, record } = checked(opened(entryEnvelope), Date.now(), live);
    return type === "entry" && same(record.ad, signed.id) && AGREE.every((field) => same(encode(record[field]), encode(signed.record[field])));
  }

  after(number, limit) {
    return [...this.lines].filter(([each]) => each > number).slice(0, limit);
  }

  upto(lines, limit) {
    return lines.length === limit && limit > 0 ? lines.at(-1)[0] : this.head;
  }

  newest(pubkey) {
    return [...this.lines.values()].find(({ signed }) => signed.record.pubkey !== undefined && same(signed.record.pubkey, pubkey));
  }
}

const shortId = ({ signed }) => signed.id.subarray(0, 8);
const bucketOf = ({ signed }, bits) => signed.id.readUInt16BE(0) >> (16 - bits);

/** The answers that a log gives. */
export function answerTo(log, [op, ...values]) {
  const [, after, limit] = values;
  const found = (lines, what) => [log.name, log.head, log.upto(lines, limit), what];
  const from = op === "since" || op === "page" ? log.after(same(values[0], log.name) ? after : 0, limit) : [];
  switch (op) {
    case "hello":
      return ["greeting", log.name, log.head, log.lines.size, Date.now()];
    case "since":
      return ["short-ids", ...found(from, Buffer.concat(from.map(([, line]) => shortId(line))))];
    case "page":
      return ["statements", ...found(from, from.map(([, line]) => line.statement))];
    case "fetch-ids": {
      const ids = hex(values[0]).match(/.{16}/g) ?? [];
      const lines = [...log.lines.values()].filter((line) => ids.includes(hex(shortId(line))));
      return ["statements", log.name, log.head, log.head, lines.map(({ statement }) => statement)];
    }
    case "reconcile":
      return ["differences", differing(log, ...values), false];
    case "push":
      return ["taken", values[0].filter((statement) => log.take(statement, true)).length];
    default:
      return ["nodes", [...log.lines.values()].filter(({ signed }) => signed.type === "node").slice(0, 256).map(({ statement }) => statement[0])];
  }
}

function differing(log, bits, sums) {
  const buckets = Array.from({ length: 1 << bits }, () => ({ sum: 0n, ids: [] }));
  for (const line of log.lines.values()) {
    const bucket = buckets[bucketOf(line, bits)];
    bucket.sum = (bucket.sum + line.signed.id.readBigUInt64BE(8)) % 2n ** 64n;
    bucket.ids.push(shortId(line));
  }
  const asked = Buffer.from(sums);
  return buckets.flatMap(({ sum, ids }, index) => (sum === asked.readBigUInt64BE(8 * index) ? [] : [[index, Buffer.concat(ids)]]));
}

/** Both roles on one stream: asks, and answers from the log. `onQuestion(peerId, op)` tells what was asked. */
export class Directory {
  constructor(node, network, onQuestion, onFault) {
    Object.assign(this, { log: new Log(), onQuestion, onFault, waiting: new Map(), number: 0 });
    this.links = new Links(node, `/musigd/${network}/directory/1`, (peerId, data) => this.#onFrame(peerId, data), onFault);
  }

  /** An answer, decoded; rejects if the peer refuses to answer. */
  ask(peerId, ...question) {
    const number = ++this.number;
    const answer = new Promise((resolve, reject) => this.waiting.set(number, { resolve, reject }));
    this.links.send(peerId, asked(QUESTION, number, encode(question))).catch((error) => this.waiting.get(number)?.reject(error));
    return answer.finally(() => this.waiting.delete(number));
  }

  #onFrame(peerId, data) {
    const [kind, number, payload] = [data[0], data.readUInt32BE(1), data.subarray(5)];
    if (kind === QUESTION) this.#answer(peerId, number, payload).catch((error) => this.onFault(peerId, error));
    else if (kind === ANSWER) this.waiting.get(number)?.resolve(readAnswer(payload));
    else this.waiting.get(number)?.reject(new Error("not answered"));
  }

  async #answer(peerId, number, payload) {
    let question;
    try {
      question = readQuestion(payload);
    } catch (error) {
      await this.links.send(peerId, asked(REFUSAL, number, Buffer.alloc(0)));
      throw error;
    }
    await this.links.send(peerId, asked(ANSWER, number, encode(answerTo(this.log, question))));
    this.onQuestion(peerId, question[0]);
  }

  hello(peerId) {
    return this.ask(peerId, "hello", this.log.name, this.log.head, this.log.lines.size, null);
  }

  /** Reads the whole log of a peer; how many statements came. */
  async pull(peerId) {
    const [, log] = await this.hello(peerId);
    let [count, after, head] = [0, 0, null];
    while (after !== head) {
      const [kind, , newHead, upto, statements] = await this.ask(peerId, "page", log, after, PAGE);
      if (kind !== "statements") throw new Error(`${kind} is no answer to a page`);
      count += statements.filter((statement) => this.log.take(statement, false)).length;
      [after, head] = [upto, newHead];
    }
    return count;
  }
}

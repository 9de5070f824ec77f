// docs/wallets.md, section 4, and docs/worked-transactions.md: a transaction that spends outputs of the aggregate key,
// what a request shows of it, and the hash of each input. Lotus is written out; BIP-341 is @scure/btc-signer's.
import { Transaction } from "@scure/btc-signer";
import { sha256, unhex } from "../wire/hashes.mjs";

const VALUE = 5_000_000;
const FEE = 1_000;
const LOTUS = 0x61; // ALL with LOTUS
const hash2 = (...parts) => sha256(sha256(...parts));
const u32le = (number) => {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(number);
  return out;
};
const u64le = (number) => {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt(number));
  return out;
};
const SCRIPT = {
  lotus: (key) => Buffer.concat([unhex("625121"), key]),
  bip340: (key) => Buffer.concat([unhex("5120"), key.subarray(1)]),
};
const outputBytes = ({ value, script }) => Buffer.concat([u64le(value), Buffer.from([script.length]), script]);
const SEQUENCE = unhex("ffffffff");
const VERSION = u32le(2);
const LOCKTIME = u32le(0);

function merkle(leaves) {
  let [level, height] = [leaves, 1];
  for (; level.length > 1; height += 1) {
    const even = level.length % 2 === 0 ? level : [...level, Buffer.alloc(32)];
    level = Array.from({ length: even.length / 2 }, (_, index) => hash2(even[2 * index], even[2 * index + 1]));
  }
  return [level[0], height];
}

function lotusHash({ inputs, spent, outputs }, index) {
  const total = (all) => u64le(all.reduce((sum, { value }) => sum + value, 0));
  const [spentRoot] = merkle(spent.map((each) => hash2(outputBytes(each))));
  const [inputsRoot, inputsHeight] = merkle(inputs.map((outpoint) => hash2(outpoint, SEQUENCE)));
  const [outputsRoot, outputsHeight] = merkle(outputs.map((each) => hash2(outputBytes(each))));
  const input = hash2(Buffer.from([0]), inputs[index], SEQUENCE, outputBytes(spent[index]));
  return hash2(
    ...[u32le(LOTUS), input, u32le(index), spentRoot, total(spent), total(outputs), VERSION],
    ...[inputsRoot, Buffer.from([inputsHeight]), outputsRoot, Buffer.from([outputsHeight]), LOCKTIME],
  );
}

const bip340Hash = ({ raw, spent }, index) =>
  Buffer.from(
    Transaction.fromRaw(raw, { allowUnknownOutputs: true }).preimageWitnessV1(
      index,
      spent.map(({ script }) => Uint8Array.from(script)),
      0,
      spent.map(({ value }) => BigInt(value)),
    ),
  );
const HASH = { lotus: lotusHash, bip340: bip340Hash };

/** The hash of each input of a transaction whose parts are given: outpoints, spent outputs, outputs. */
export function hashesOf(scheme, parts) {
  const varint = (all) => Buffer.from([all.length]);
  const ins = parts.inputs.map((outpoint) => Buffer.concat([outpoint, Buffer.from([0]), SEQUENCE]));
  const raw = Buffer.concat([VERSION, varint(ins), ...ins, varint(parts.outputs), ...parts.outputs.map(outputBytes), LOCKTIME]);
  return { raw, messages: parts.inputs.map((_, index) => HASH[scheme]({ ...parts, raw: Uint8Array.from(raw) }, index)) };
}

/** A transaction with so many inputs of the aggregate key: `{messages, metadata}` for a request that shows it. */
export function transactionOf(scheme, aggregate, count) {
  const script = SCRIPT[scheme](aggregate);
  const spent = Array.from({ length: count }, () => ({ value: VALUE, script }));
  const inputs = spent.map((_, index) => Buffer.concat([sha256(aggregate), u32le(index)]));
  const { raw, messages } = hashesOf(scheme, { inputs, spent, outputs: [{ value: count * VALUE - FEE, script }] });
  const spentOutputs = spent.map((each) => ({ value: each.value, script: each.script.toString("hex") }));
  return { messages, metadata: { transactionHex: raw.toString("hex"), spentOutputs } };
}

// A wallet in all four phases: two signers find each other, make one Taproot signature, and check it with a library that
// knows nothing of musigd.
//
//     npm install musigd-client ws @scure/btc-signer @noble/curves
//     node sign_together.mjs ALICE_DATADIR BOB_DATADIR          # the data directories of two running daemons
import { schnorr } from "@noble/curves/secp256k1.js";
import { hex } from "@scure/base";
import { Transaction } from "@scure/btc-signer";
import { Client } from "musigd-client/node";

const [alice, bob] = await Promise.all(process.argv.slice(2, 4).map((datadir) => Client.connect({ datadir })));
const { nextSeq: fromSeq, multiaddrs } = await bob.getInfo(); // where to follow bob's events from: before he acts
await alice.connectPeer({ multiaddr: multiaddrs[0] }); // on one machine; others meet by bootstrap nodes or mDNS
const { publicKey: a } = await alice.createKey({ scheme: "bip340" });
const { publicKey: b } = await bob.createKey({ scheme: "bip340" });

// Phases 0 and 1: bob advertises, alice hears of him.
await alice.subscribeToSignerDiscovery({ transactionTypes: ["spend"] });
await bob.advertiseSigner({ publicKey: b, criteria: { transactionTypes: ["spend"], minAmount: 1_000 } });
for await (const { data } of alice.events({ fromSeq: 0, events: ["signer:discovered"] })) if (data.advertisement?.publicKey === b) break;

// Phase 2: alice spends 1 BTC that was paid to both; bob joins if it is what he wants to sign.
const [keys, tweaks, value] = [[a, b], [{ taprootMerkleRoot: null }], 100_000_000];
const { scriptPubKey, xOnlyPublicKey } = await alice.aggregateKeys({ publicKeys: keys, scheme: "bip340", tweaks });
const [script, amount, transaction] = [hex.decode(scriptPubKey), BigInt(value), new Transaction()];
transaction.addInput({ txid: "11".repeat(32), index: 0, witnessUtxo: { script, amount } });
transaction.addOutput({ script, amount: amount - 1_000n });
const message = hex.encode(transaction.preimageWitnessV1(0, [script], 0, [amount]));
const metadata = { transactionHex: hex.encode(transaction.unsignedTx), spentOutputs: [{ value, script: scriptPubKey }] };
const asked = { requiredPublicKeys: keys, publicKey: a, message, inputIndex: 0, tweaks, metadata };
const { requestId } = await alice.announceSigningRequest(asked);
for await (const { data } of bob.events({ fromSeq, events: ["signing-request:received"] })) if (data.requestId === requestId) break;
await bob.joinSigningRequest({ requestId, publicKey: b, requireChecked: true });

// Phase 3: the daemons do both rounds; either wallet may wait for the signature.
const { signature } = await bob.waitForSignature(requestId, { timeoutMs: 60_000 });
if (!schnorr.verify(hex.decode(signature), hex.decode(message), hex.decode(xOnlyPublicKey))) throw new Error("it does not hold");
console.log(`signature ${signature}`);

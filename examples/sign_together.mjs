// All four phases: two wallets find each other, make one Taproot signature, and check it with an independent library.
//
//     npm install musigd-client ws @scure/btc-signer @noble/curves
//     node sign_together.mjs ALICE_DATADIR BOB_DATADIR          # the data directories of two running daemons
import { schnorr } from "@noble/curves/secp256k1.js";
import { hex } from "@scure/base";
import { Transaction } from "@scure/btc-signer";
import { Client } from "musigd-client/node";

const heard = async (wallet, name, fits) => {
  for await (const { data } of wallet.events({ fromSeq: 0, events: [name] })) if (fits(data)) return data;
};
const [alice, bob] = await Promise.all(process.argv.slice(2, 4).map((datadir) => Client.connect({ datadir })));
await alice.connectPeer({ multiaddr: (await bob.getInfo()).multiaddrs[0] }); // others meet by bootstrap nodes or mDNS
const made = await Promise.all([alice, bob].map((wallet) => wallet.createKey({ scheme: "bip340" })));
const [a, b] = made.map((key) => key.publicKey);
// Phases 0 and 1: bob advertises, alice hears of him.
await alice.subscribeToSignerDiscovery({ transactionTypes: ["spend"] });
await bob.advertiseSigner({ publicKey: b, criteria: { transactionTypes: ["spend"], minAmount: 1_000 } });
await heard(alice, "signer:discovered", (data) => data.advertisement?.publicKey === b);
// Phase 2: alice spends 1 BTC that was paid to both; bob joins what his daemon has checked.
const [keys, tweaks, value] = [[a, b], [{ taprootMerkleRoot: null }], 100_000_000];
const { scriptPubKey, xOnlyPublicKey } = await alice.aggregateKeys({ publicKeys: keys, scheme: "bip340", tweaks });
const [script, amount, transaction] = [hex.decode(scriptPubKey), BigInt(value), new Transaction()];
transaction.addInput({ txid: "11".repeat(32), index: 0, witnessUtxo: { script, amount } });
transaction.addOutput({ script, amount: amount - 1_000n });
const message = hex.encode(transaction.preimageWitnessV1(0, [script], 0, [amount]));
const metadata = { transactionHex: hex.encode(transaction.unsignedTx), spentOutputs: [{ value, script: scriptPubKey }] };
const asked = { requiredPublicKeys: keys, publicKey: a, message, inputIndex: 0, tweaks, metadata };
const { requestId } = await alice.announceSigningRequest(asked);
await heard(bob, "signing-request:received", (data) => data.requestId === requestId);
await bob.joinSigningRequest({ requestId, publicKey: b, requireChecked: true });

// Phase 3: the daemons do both rounds; either wallet may wait for the signature.
const { signature } = await bob.waitForSignature(requestId, { timeoutMs: 60_000 });
const holds = schnorr.verify(hex.decode(signature), hex.decode(message), hex.decode(xOnlyPublicKey));
console.log(holds ? `signature ${signature}` : "the signature does not hold");

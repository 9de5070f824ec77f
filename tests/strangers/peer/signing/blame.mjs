// docs/protocol.md, section 7: what signed records prove about a signer of a request.
import { joinsetOf, noncesetOf, same, sessionId } from "../wire/hashes.mjs";
import { opened, verified } from "../wire/records.mjs";
import { SCHEMES } from "./schemes.mjs";

/** The envelopes that can be read and whose signatures hold; others prove nothing. */
export function genuine(envelopes) {
  return envelopes.flatMap((envelope) => {
    try {
      return [verified(opened(envelope))];
    } catch {
      return [];
    }
  });
}

const distinct = (records) => records.filter((each, index) => records.findIndex(({ id }) => same(id, each.id)) === index);

/** The joins of one attempt by signer, and what each signer's peer said under its join; `twice`: two joins of one key. */
function attemptOf(request, records, attempt) {
  const { keys, scheme } = request.record;
  const session = sessionId(request.id, attempt);
  const isJoin = ({ type, record }) => type === "join" && same(record.request, request.id) && record.attempt === attempt && record.scheme === scheme;
  const joins = keys.map((key) => records.filter((each) => isJoin(each) && same(each.record.pubkey, key)));
  const twice = joins.find((each) => each.length > 1);
  if (twice !== undefined) return { twice };
  const isOf = (join) => ({ type, record, pubkey }) =>
    type === "message" && same(record.session, session) && same(record.join, join.id) && same(pubkey, join.record.peer.subarray(6));
  const said = joins.map(([join]) => (join === undefined ? [] : records.filter(isOf(join))));
  const of = (seq) => said.map((messages) => messages.filter(({ record }) => record.seq === seq));
  return { session, joins: joins.map(([join]) => join), nonces: of(1), partials: of(2) };
}

const usable = (scheme, items) => (message) => message.record.body.pubnonces.length === items.length && message.record.body.pubnonces.every(scheme.isNonce);

/** A partial signature that fails under the nonces that it names; they are shown with all joins. */
function badPartials({ keys, items, scheme: name }, { session, joins, nonces, partials }) {
  if (joins.includes(undefined) || nonces.some((each) => each.length !== 1)) return [];
  const scheme = SCHEMES[name];
  const pubnonces = nonces.map(([{ record }]) => record.body.pubnonces);
  const nonceset = noncesetOf(joinsetOf(session, joins.map(({ id }) => id)), pubnonces);
  const sums = items.map(([msg, tweaks], item) => scheme.session(scheme.aggregate(keys, tweaks), pubnonces.map((each) => each[item]), msg));
  const fails = ({ record: { body } }, index) =>
    same(body.nonceset, nonceset) && !(body.psigs.length === items.length && body.psigs.every((psig, item) => sums[item].holds(psig, index)));
  return partials.flatMap(([partial], index) =>
    partial !== undefined && fails(partial, index) ? [{ pubkey: keys[index], reason: "bad_partial", evidence: [partial, ...joins, ...nonces.flat()] }] : [],
  );
}

/** `[{pubkey, reason, evidence}, ...]`; `records` are verified ones, of any request. */
export function proven(request, records) {
  const { keys, items, scheme, max_attempts: most } = request.record;
  const all = distinct(records);
  return Array.from({ length: most }, (_, index) => index + 1).flatMap((attempt) => {
    const found = attemptOf(request, all, attempt);
    if (found.twice !== undefined) return [{ pubkey: found.twice[0].record.pubkey, reason: "join_conflict", evidence: found.twice.slice(0, 2) }];
    const single = keys.flatMap((pubkey, index) => {
      const [join, nonces, partials] = [found.joins[index], found.nonces[index], found.partials[index]];
      const twice = [nonces, partials].find((each) => each.length > 1);
      if (twice !== undefined) return [{ pubkey, reason: "equivocation", evidence: [...twice.slice(0, 2), join] }];
      const useless = nonces.find((each) => !usable(SCHEMES[scheme], items)(each));
      return useless === undefined ? [] : [{ pubkey, reason: "invalid_contribution", evidence: [useless, join] }];
    });
    return single.length > 0 ? single : badPartials(request.record, found);
  });
}

/** What goes into an abort: all of the proof, or what the accused signed if that is more than eight envelopes. */
export const shown = (evidence) => (evidence.length > 8 ? evidence.slice(0, 1) : evidence).map(({ envelope }) => envelope);

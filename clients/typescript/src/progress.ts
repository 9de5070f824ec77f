import type { SessionSigner, SigningRequest, Session } from "./generated/values.js";

const ENDED: ReadonlySet<string> = new Set(["complete", "declined", "cancelled", "expired", "failed"]);
/** What a signer has yet to contribute in each phase of a session. */
const OWED: Readonly<Record<string, (signer: SessionSigner) => boolean>> = {
  joining: (signer) => !signer.joined,
  ready: (signer) => !signer.nonce,
  round1: (signer) => !signer.nonce,
  round2: (signer) => !signer.partialSignature,
};

/** A request at one moment. `session`: its current attempt, undefined where this token does not see it. */
export class RequestProgress {
  constructor(readonly request: SigningRequest, readonly session: Session | undefined) {}

  /** The phase of the session while it is open (`joining ready round1 round2`), else the state of the request. */
  get phase(): SigningRequest["state"] | Session["phase"] {
    return this.#owed && this.session ? this.session.phase : this.request.state;
  }

  /** The public keys of the signers whose contribution is awaited. */
  get missing(): string[] {
    if (this.ended) return [];
    const signers = this.#owed ? this.session?.signers.filter(this.#owed) : undefined;
    return (signers ?? this.request.signers.filter((signer) => !signer.joined)).map((signer) => signer.publicKey);
  }

  /** When the attempt ends, else when the request expires: milliseconds since 1970 by the daemon's clock. */
  get deadline(): number {
    return this.session?.deadline ?? this.request.expiresAt;
  }

  /** Whether the request has ended. One that has `failed` may be joined again; then follow it again. */
  get ended(): boolean {
    return ENDED.has(this.request.state);
  }

  get #owed(): ((signer: SessionSigner) => boolean) | undefined {
    return this.ended || !this.session ? undefined : OWED[this.session.phase];
  }
}

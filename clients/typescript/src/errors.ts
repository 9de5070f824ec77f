/** Root of everything that the client throws, but for the reason of a signal that gave a call up. */
export class MusigdError extends Error {
  override name = "MusigdError";
}

/**
 * No daemon answers there, or the connection broke before the answer came.
 *
 * The call may have been carried out, unless `nobody` is true: then nothing listened at all.
 */
export class Unreachable extends MusigdError {
  override name = "Unreachable";

  constructor(message: string, readonly nobody = false) {
    super(message);
  }
}

/** The certificate at that address is not accepted here, so the call was not sent. Only Node tells; waiting changes nothing. */
export class CertificateRefused extends Unreachable {
  override name = "CertificateRefused";

  constructor(message: string) {
    super(message, true);
  }
}

/** The daemon refused a call. Each `reason` has a subclass of its own: `NotReadyError`, `DeclinedError` and so on. */
export class CallFailed extends MusigdError {
  override name = "CallFailed";
  /** Stable: program against it. A daemon newer than this client may give one that `Reason` does not list. */
  readonly reason: string;

  constructor(readonly code: number, message: string, readonly data: Readonly<Record<string, unknown>>) {
    super(message);
    this.reason = String(data["reason"] ?? "unknown");
  }
}

/** Bytes that must not be accepted; `reason` as in the vectors. */
export class Refused extends Error {
  constructor(reason, wrong) {
    super(`${reason}: ${wrong}`);
    this.reason = reason;
  }
}

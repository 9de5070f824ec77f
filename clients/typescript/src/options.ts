/** What a single call may be told. */
export interface CallOptions {
  /** Gives the call up; what it had begun in the daemon is carried out all the same. */
  signal?: AbortSignal | undefined;
  /** How long the call goes on while the daemon is away, in milliseconds; the client's own when absent. */
  patienceMs?: number | undefined;
}

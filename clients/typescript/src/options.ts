/** Options of a single call. */
export interface CallOptions {
  /** Gives the call up; a change that it has begun in the daemon is completed. */
  signal?: AbortSignal | undefined;
  /** How long the call goes on while the daemon is away, in milliseconds; the client's own when absent. */
  patienceMs?: number | undefined;
}

import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "./parts/action.js";

/** Asks for the token. It is shown to nobody, and kept only for as long as the tab lives. */
export function Entrance({ why, busy, enter }: { why: string; busy: boolean; enter: (token: string) => void }) {
  const [token, setToken] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const submit = (event: Event): void => {
    event.preventDefault();
    setToken("");
    if (token.trim()) enter(token.trim());
  };
  return (
    <main class="entrance">
      <h1>musigd</h1>
      <p>This page shows one daemon: who can sign with you, what waits for you, and how each signature comes about.</p>
      <form onSubmit={submit}>
        <label for="token">Token</label>
        <input id="token" ref={field} type="password" autocomplete="off" spellcheck={false} required aria-describedby="where"
          value={token} onInput={(event) => setToken(event.currentTarget.value)} />
        <button class="main" disabled={busy}>{busy ? "Entering …" : "Enter"}</button>
      </form>
      <Problem text={why} />
      <p id="where">The daemon's owner finds a token in the file <code>.cookie</code> of the data directory, new at each start. For
        others, <code>musig-cli createToken scopes=read</code> makes one; what it may not do is not offered here.</p>
    </main>
  );
}

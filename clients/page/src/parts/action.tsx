// Buttons that call the daemon: pressed once at a time, with the daemon's own sentence beside them when it refuses.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { sentenceOf } from "../daemon.js";
import { plain } from "./text.js";

export interface Action {
  busy: boolean;
  problem: string;
  run: (call: () => Promise<unknown>) => Promise<boolean>;
}

/** True from `run`: it was done. */
export function useAction(): Action {
  const [state, setState] = useState({ busy: false, problem: "" });
  const run = async (call: () => Promise<unknown>): Promise<boolean> => {
    setState({ busy: true, problem: "" });
    try {
      await call();
      setState({ busy: false, problem: "" });
      return true;
    } catch (problem) {
      setState({ busy: false, problem: sentenceOf(problem) });
      return false;
    }
  };
  return { ...state, run };
}

export function Problem({ text }: { text: string }) {
  return text ? <p class="problem" role="alert">{plain(text)}</p> : null;
}

/** A button with a call behind it. */
export function Press({ call, children, kind }: { call: () => Promise<unknown>; children: ComponentChildren; kind?: "main" | "danger" }) {
  const action = useAction();
  return (
    <span class="press">
      <button type="button" class={kind} disabled={action.busy} onClick={() => void action.run(call)}>{children}</button>
      <Problem text={action.problem} />
    </span>
  );
}

/** A button that asks for a reason first. */
export function PressWithReason({ call, children, label, kind }: {
  call: (reason: string) => Promise<unknown>; children: string; label: string; kind?: "main" | "danger";
}) {
  const action = useAction();
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  if (!open) return <button type="button" class={kind} onClick={() => setOpen(true)}>{children}</button>;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (await action.run(() => call(reason.trim()))) setOpen(false);
  };
  return (
    <form class="reason" onSubmit={(event) => void submit(event)}>
      <label>{label}
        <input autofocus maxLength={200} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      <button class={kind} disabled={action.busy}>{children}</button>
      <button type="button" onClick={() => setOpen(false)}>Back</button>
      <Problem text={action.problem} />
    </form>
  );
}

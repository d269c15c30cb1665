/**
 * Scripted containers: what one does when no program is run for it.
 *
 * Annotation  cri.nanokube.io/behaviour            for every container of the pod
 *             cri.nanokube.io/behaviour.<name>     for that container
 * Value       a JSON object of the fields below, or "idle"; an unknown field is refused by name
 * Units       seconds, fractions allowed
 */
import { codes, RpcError } from "@nanokube/rpc";

export const BEHAVIOUR = "cri.nanokube.io/behaviour";

export interface Behaviour {
  /** Declared ports answer 503 and exec fails until then; 0 is at once. */
  readyAfterSeconds: number;
  /** Ends by itself after that time; absent runs until it is stopped. */
  exitAfterSeconds: number | undefined;
  exitCode: number;
  /** Lines for the log, one after the other … */
  log: readonly string[];
  /** … that far apart; the list starts over when this is not 0. */
  logEverySeconds: number;
  /** StartContainer is refused with this text. */
  failStart: string | undefined;
  /** TERM does nothing: the grace period runs out. */
  ignoreTerm: boolean;
}

export const IDLE: Behaviour = {
  readyAfterSeconds: 0,
  exitAfterSeconds: undefined,
  exitCode: 0,
  log: [],
  logEverySeconds: 0,
  failStart: undefined,
  ignoreTerm: false,
};

const KINDS: Readonly<Record<keyof Behaviour, string>> = {
  readyAfterSeconds: "number",
  exitAfterSeconds: "number",
  exitCode: "number",
  log: "object",
  logEverySeconds: "number",
  failStart: "string",
  ignoreTerm: "boolean",
};

const refuse = (text: string) => new RpcError(codes.INVALID_ARGUMENT, `${BEHAVIOUR}: ${text}`);

export function parseBehaviour(text: string): Behaviour {
  if (text === "idle") return IDLE;
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw refuse("must be a JSON object");
  }
  for (const [key, value] of Object.entries(raw)) {
    const wanted = KINDS[key as keyof Behaviour];
    if (wanted === undefined) throw refuse(`unknown field "${key}"`);
    if (typeof value !== wanted) throw refuse(`${key} must be a ${wanted}`);
  }
  return { ...IDLE, ...(raw as Partial<Behaviour>) };
}

/** The script for one container; undefined: it runs a program. */
export function behaviourOf(
  annotations: Readonly<Record<string, string>>,
  container: string,
): Behaviour | undefined {
  const text = annotations[`${BEHAVIOUR}.${container}`] ?? annotations[BEHAVIOUR];
  return text === undefined ? undefined : parseBehaviour(text);
}

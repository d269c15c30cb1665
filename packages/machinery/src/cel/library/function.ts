/** An implementation: `undefined` says that no overload takes these values. */
import type { Value } from "../values.ts";

export type Implementation = (...args: Value[]) => Value | undefined;
export type Library = Readonly<Record<string, Implementation>>;

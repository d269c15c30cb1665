/**
 * Replies made comparable: bytes as text, ids relabelled by first sight, what
 * differs by nature gone.
 */
import { RpcError } from "@nanokube/rpc";

export interface Refused {
  readonly code: number;
  readonly message: string;
}

/** The reply, or how it was refused. */
export async function outcome(reply: unknown): Promise<unknown> {
  try {
    return plain(await reply);
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return { code: error.code, message: error.details };
  }
}

/** Of the member that answers, not of the answer. */
const ignored = new Set(["clusterId", "memberId", "raftTerm", "raftIndex", "raftAppliedIndex"]);

export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(
    ([name, v]) => !ignored.has(name) && v !== undefined,
  );
  return Object.fromEntries(entries.map(([name, v]) => [name, plain(v)]));
}

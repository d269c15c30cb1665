/**
 * Proposals: entries on their way through consensus, as bytes, with the name of who waits for them.
 */
import type { Entry } from "../core/entry.ts";
import type { Proposal } from "../core/replica.ts";
import type { RawEntry } from "../core/wal-frame.ts";
import { decodeEntry, encodeEntry, memberChangeKind } from "./entry-codec.ts";

export interface ProposalName {
  readonly origin: number;
  readonly sequence: number;
}

const overheadBytes = 16;

export function createProposal(raw: RawEntry, { origin, sequence }: ProposalName): Proposal {
  const plain = { raw, origin, sequence, sizeBytes: raw.bytes.length + overheadBytes };
  if (raw.kind !== memberChangeKind) return plain;
  return { ...plain, isChange: true, removes: removedBy(decodeEntry(raw)) };
}

function removedBy(entry: Entry): bigint | undefined {
  if (entry.kind !== "memberChange" || entry.request.action !== "remove") return undefined;
  return entry.request.member.id;
}

export function propose(entry: Entry, name: ProposalName): Proposal {
  return { ...createProposal(encodeEntry(entry), name), entry };
}

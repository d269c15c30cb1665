/**
 * Proposals: entries on their way through consensus, as bytes, with the name of who waits for them.
 */
import type { Entry } from "../core/entry.ts";
import type { Proposal } from "../core/replica.ts";
import type { RawEntry } from "../core/wal-frame.ts";
import { encodeEntry, memberChangeKind } from "./entry-codec.ts";

export interface ProposalName {
  readonly origin: number;
  readonly sequence: number;
}

const overheadBytes = 16;

export function createProposal(raw: RawEntry, { origin, sequence }: ProposalName): Proposal {
  const isChange = raw.kind === memberChangeKind;
  return { raw, origin, sequence, isChange, sizeBytes: raw.bytes.length + overheadBytes };
}

export function propose(entry: Entry, name: ProposalName): Proposal {
  return { ...createProposal(encodeEntry(entry), name), entry };
}

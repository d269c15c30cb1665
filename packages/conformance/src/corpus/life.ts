/**
 * The life of one object of any kind: made, read, changed, patched, applied, its status written,
 * deleted; and what is refused on the way.
 */
import type { CorpusCase } from "./corpus-case.ts";
import { creating } from "./life/creating.ts";
import { deleting } from "./life/deleting.ts";
import type { Kind } from "./life/kind.ts";
import { patching } from "./life/patching.ts";
import { reading } from "./life/reading.ts";
import { scaling } from "./life/scale.ts";
import { statusWriting } from "./life/status.ts";
import { updating } from "./life/updating.ts";

/** Everything up to the end of the object's life, and that end. */
export function lifeOf(kind: Kind): { before: CorpusCase[]; after: CorpusCase[] } {
  return {
    before: [...creating(kind), ...reading(kind), ...updating(kind), ...patching(kind)],
    after: [...statusWriting(kind), ...scaling(kind), ...deleting(kind)],
  };
}

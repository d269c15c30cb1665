/** Custom resources are stored as JSON, whatever the storage media type. */
import type { StorageCodec } from "../core/cache/stored-object.ts";
import { encodeStored, parseTree } from "../core/storage/canonical.ts";

export const customCodec: StorageCodec = {
  encode: encodeStored,
  decode: parseTree,
  selectableFields: () => ({}),
};

/**
 * Ownership of fields in versions other than that of the request.
 *
 * Who wrote in another version owns fields of that version: to compare, the object is converted
 * there, perhaps by a webhook. The comparison itself cannot wait; it says what it lacks, is told,
 * and begins again.
 *
 * Source  apimachinery pkg/util/managedfields/internal/versionconverter.go
 */
import { typeOf } from "@nanokube/api";
import { applySchemaOf, type KubeObject, type OwnershipOptions } from "@nanokube/machinery";
import { convert as convertBuiltIn } from "../conversion/convert.ts";
import type { ServedResource } from "./context.ts";

type Convert = NonNullable<OwnershipOptions["convert"]>;

/** Undefined for a version that is no more. */
const builtIn =
  ({ kind }: ServedResource["info"]): Convert =>
  (object, apiVersion) => {
    const typeName = typeOf(apiVersion, kind);
    if (typeName === undefined) return undefined;
    return { object: convertBuiltIn(object, apiVersion), schema: applySchemaOf(typeName) };
  };

/** The comparison needs an object in another version. */
class Lacking extends Error {
  readonly key: string;
  readonly convert: () => Promise<KubeObject>;

  constructor(key: string, convert: () => Promise<KubeObject>) {
    super("an object in another version is needed");
    this.key = key;
    this.convert = convert;
  }
}

export async function acrossVersions<T>(
  { custom, info }: Pick<ServedResource, "custom" | "info">,
  compare: (options: { convert?: Convert }) => T,
): Promise<T> {
  if (custom === undefined) return compare({ convert: builtIn(info) });
  const known = new Map<string, KubeObject>();
  const convert: Convert = (object, apiVersion) => {
    const version = custom.version(apiVersion);
    if (version === undefined) return undefined;
    const key = `${apiVersion} ${JSON.stringify(object)}`;
    const converted = known.get(key);
    if (converted === undefined) throw new Lacking(key, () => version.convert(object));
    return { object: converted, schema: version.applySchema };
  };
  for (;;) {
    try {
      return compare({ convert });
    } catch (error) {
      if (!(error instanceof Lacking)) throw error;
      known.set(error.key, await error.convert());
    }
  }
}

/**
 * What the generated table says about a type, a field, a resource.
 *
 * Shapes  a word of the type grammar is one of
 *           string bool int32 int64 uint32 uint64 float64 bytes (base64) json (anything)
 *           quantity time microTime duration intOrString raw (any object) fieldsV1
 *           "ref NAME" (a type of the table)   "[]" + word   "map " + word (keys are strings)
 *         the order of `fields` is Go's: upstream writes JSON members in it
 * Source  k8s.io/api, k8s.io/apimachinery, k8s.io/apiextensions-apiserver, k8s.io/kube-aggregator
 */

export interface Field {
  readonly type: string;
  /** Protobuf field number; absent: not on the protobuf wire (apiVersion, kind, Table's). */
  readonly num?: number;
  /** Go's omitempty: JSON leaves it out when null, "", 0, false or an empty list or map.
   * A struct that is no pointer is never empty: it stays, as {} at least. */
  readonly opt?: boolean;
  /** Go's omitzero: a struct or time is left out as well when nothing in it is set. */
  readonly omitZero?: boolean;
  /** A pointer in Go: absent and zero differ. Protobuf writes all others, zero or not. */
  readonly ptr?: boolean;
  /** In the OpenAPI schema's list of required members. */
  readonly required?: boolean;
  /** The schema's default, where it is not simply Go's zero value. */
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly patchStrategy?: string;
  readonly patchMergeKey?: string;
  readonly listType?: "atomic" | "set" | "map";
  readonly listMapKeys?: readonly string[];
  readonly mapType?: "atomic" | "granular";
  /** Members of `type` stand in this object in JSON, and in a message of their own in protobuf.
   * The key of such a field starts with "+", which no JSON name does. */
  readonly inline?: boolean;
  /** Upstream's feature gates that guard the field. */
  readonly gates?: readonly string[];
}

export interface Union {
  readonly discriminator?: string;
  readonly "fields-to-discriminateBy"?: Readonly<Record<string, string>>;
}

export interface TypeInfo {
  readonly fields: Readonly<Record<string, Field>>;
  /** The type is a kind: it has apiVersion and kind. */
  readonly typeMeta?: boolean;
  /** A named list that is a message {items = 1} in protobuf, and just the list in JSON. */
  readonly alias?: string;
  /** JSON is a schema, or else a list of schemas, a boolean, a list of strings; `fields` hold in
   * protobuf only. */
  readonly special?: "schemaOrArray" | "schemaOrBool" | "schemaOrStrings";
  /** false: never on the protobuf wire. */
  readonly proto?: boolean;
  readonly mapType?: "atomic" | "granular";
  readonly unions?: readonly Union[];
}

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface SubresourceInfo {
  readonly name: string;
  readonly verbs: readonly string[];
  /** Absent: the resource's own kind. */
  readonly kind?: GroupVersionKind;
  /** The request is upgraded or passed on (exec, proxy). */
  readonly connect?: boolean;
}

export interface ResourceInfo {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly verbs: readonly string[];
  /** Name of the type in the table. */
  readonly type: string;
  readonly listType?: string;
  readonly subresources?: readonly SubresourceInfo[];
  /** Kubernetes releases, "1.9". */
  readonly introduced?: string;
  readonly deprecated?: string;
  readonly removed?: string;
  /** Discovery's fingerprint of the version that is stored; absent: nothing is stored. */
  readonly storageVersionHash?: string;
  /** DELETE answers with the object; absent: with a Status. */
  readonly returnsDeleted?: boolean;
  /** Absent: beta, which upstream serves on request only. */
  readonly ga?: boolean;
}

export interface GroupInfo {
  readonly group: string;
  /** The preferred one first. */
  readonly versions: readonly string[];
  /** groupPriorityMinimum of its APIServices; absent: served by the aggregator itself, first. */
  readonly priority?: number;
  /** versionPriority of its APIServices, in the order of `versions`. */
  readonly versionPriorities?: readonly number[];
}

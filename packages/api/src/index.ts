/**
 * Every built-in Kubernetes type and resource as a generated table, with TypeScript types.
 *
 * @packageDocumentation
 */
export type { InternalMember } from "./load.ts";
export {
  goTypeOfMember,
  groups,
  internalMembers,
  jsonFields,
  kinds,
  kubernetesVersion,
  resourceOf,
  resources,
  typeInfo,
  typeNames,
  typeOf,
} from "./lookup.ts";
export type {
  Field,
  GroupInfo,
  GroupVersionKind,
  ResourceInfo,
  SubresourceInfo,
  TypeInfo,
  Union,
} from "./table.ts";

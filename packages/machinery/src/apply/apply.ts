/**
 * Server-side apply, and the bookkeeping of ownership for every other write.
 *
 * Shapes  apply({live, applied, …})        the object as it is to be stored, managedFields
 *                                          included; `changed` is false
 *                                          when the configuration already held (only ownership
 *                                          may differ)
 *         updateManagedFields({live, updated, …})  the same object with managedFields brought up
 *                                                  to date
 *         live          absent: the object is being created
 *         typeName      a built-in type; a custom resource brings `schema` in its place
 *         applied       as the client sent it: what it does not say must not be filled in
 *         nowMs         for the entries' times
 *         resetFields   paths (field names) that this endpoint ignores: [["status"]]
 * Errors  StatusError: 409 with every conflict, 400 for managedFields in a configuration, 500
 *         for a configuration
 *         that does not fit its type (upstream answers so)
 * Source  k8s.io/apimachinery/pkg/util/managedfields/internal (fieldmanager.go and the managers
 *         it stacks)
 */
import { canonicalize } from "../codec/canonical.ts";
import { formatTime } from "../codec/times.ts";
import { zeroStruct } from "../codec/zero.ts";
import { deepClone } from "../json-tree.ts";
import type { KubeObject } from "../object.ts";
import { parseGroupVersion } from "../object.ts";
import { failure } from "../status.ts";
import { badRequest, internalError } from "../status-errors.ts";
import { applySchemaOf, type MapSchema } from "./apply-schema.ts";
import { conflictError } from "./conflicts.ts";
import { FieldSet } from "./fields-v1.ts";
import { allowedByLastApplied, hasLastApplied, writeLastApplied } from "./last-applied.ts";
import {
  capUpdateManagers,
  decodeManagers,
  encodeManagers,
  entryOf,
  type Managers,
  managerIdentifier,
  stripUnowned,
  unowned,
} from "./managers.ts";
import { ownedByCreator } from "./owned-by-creator.ts";
import { type Tree, TypedTreeError } from "./typed-tree.ts";
import { applyOwnership, ConflictsError, type UpdaterContext, updateOwnership } from "./updater.ts";
import { formatComplaints, validateTree } from "./validate-tree.ts";

export interface OwnershipOptions {
  typeName?: string;
  schema?: MapSchema;
  /** The version of the request: "apps/v1". */
  apiVersion: string;
  manager: string;
  subresource?: string;
  nowMs: number;
  resetFields?: readonly (readonly string[])[];
  /** The object in the version of another manager's entry; default: versions are shaped alike. */
  convert?: UpdaterContext["convert"];
}

export interface ApplyOptions extends OwnershipOptions {
  live: KubeObject | undefined;
  applied: KubeObject;
  force?: boolean;
}

export interface UpdateOptions extends OwnershipOptions {
  live: KubeObject | undefined;
  updated: KubeObject;
}

interface Prepared {
  context: UpdaterContext;
  live: Tree;
  time: string;
}

function prepare(options: OwnershipOptions, live: KubeObject | undefined): Prepared {
  const schema = options.schema ?? schemaOf(options.typeName);
  const context: UpdaterContext = {
    schema,
    apiVersion: options.apiVersion,
    resetFields: FieldSet.ofFields(options.resetFields ?? []),
    convert: options.convert ?? ((object) => ({ object, schema })),
  };
  return { context, live: bare(live, options), time: formatTime(options.nowMs) };
}

function schemaOf(typeName: string | undefined): MapSchema {
  if (typeName === undefined) throw new TypeError("either typeName or schema is needed");
  return applySchemaOf(typeName);
}

/** The object in canonical form without managedFields; the empty object when there is none. */
function bare(object: KubeObject | undefined, { typeName }: OwnershipOptions): Tree {
  if (object === undefined) return typeName === undefined ? {} : zeroStruct(typeName);
  const { metadata, ...rest } = object;
  const tree: Tree = { ...rest };
  if (metadata !== undefined) {
    const { managedFields: _managedFields, ...kept } = metadata;
    tree.metadata = kept;
  }
  return typeName === undefined ? tree : canonicalize(typeName, tree);
}

const nameOf = ({ manager }: OwnershipOptions): string => (manager === "" ? "unknown" : manager);

function identify(options: OwnershipOptions, operation: "Apply" | "Update"): string {
  const { apiVersion, subresource = "" } = options;
  return managerIdentifier({ manager: nameOf(options), operation, apiVersion, subresource });
}

function withManagers(object: Tree, managers: Managers): KubeObject {
  const managedFields = encodeManagers(managers);
  const metadata = { ...(object.metadata as object | undefined) };
  return {
    ...object,
    metadata: managedFields === undefined ? metadata : { ...metadata, managedFields },
  };
}

/** Written by somebody whom nobody recorded: what is there before the first apply. */
const beforeFirstApply = "before-first-apply";
/** Stands for the writer until it is known whether it changed anything. */
const currentOperation = "current-operation";

/** @throws StatusError */
export function apply(options: ApplyOptions): { object: KubeObject; changed: boolean } {
  checkConfiguration(options);
  const { context, live, time } = prepare(options, options.live);
  const managers = decodeLive(options.live);
  if (managers.size === 0 && options.live !== undefined) {
    recordUpdate(context, bare(undefined, options), live, managers, {
      ...options,
      manager: beforeFirstApply,
    });
  }
  const config = deepClone(options.applied) as Tree;
  const self = identify(options, "Apply");
  const result = applyOrExplain(options, context, live, config, managers, self);
  stripUnowned(managers, self);
  const isKubectls = options.manager === "kubectl" && hasLastApplied(live);
  if (result === undefined) {
    const object = isKubectls ? deepClone(live) : live;
    if (isKubectls) writeLastApplied(object, options.applied);
    return { object: withManagers(object, managers), changed: false };
  }
  const own = managers.get(self);
  if (own !== undefined) managers.set(self, { ...own, time });
  const object = options.typeName === undefined ? result : canonicalize(options.typeName, result);
  if (options.manager === "kubectl" && hasLastApplied(object)) {
    writeLastApplied(object, options.applied);
  }
  return { object: withManagers(object, managers), changed: true };
}

function checkConfiguration(options: ApplyOptions): void {
  const { applied, apiVersion } = options;
  if (applied.apiVersion !== apiVersion) {
    const given = parseGroupVersion(applied.apiVersion ?? "");
    const wanted = parseGroupVersion(apiVersion);
    const print = ({ group, version }: typeof given) =>
      group === "" ? version : `${group}/${version}`;
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${print(given)}, expected: ${print(wanted)}`,
    );
  }
  if (applied.metadata?.managedFields != null) {
    throw badRequest("metadata.managedFields must be nil");
  }
  const schema = options.schema ?? schemaOf(options.typeName);
  const complaints = validateTree(applied, schema);
  if (complaints.length > 0) {
    const { name = "", namespace = "" } = applied.metadata ?? {};
    const { group, version } = parseGroupVersion(applied.apiVersion ?? "");
    const what = `${namespace}/${name}; ${group}/${version}, Kind=${applied.kind ?? ""}`;
    throw failure(
      500,
      "",
      `failed to create typed patch object (${what}): ${formatComplaints(complaints)}`,
    );
  }
}

function decodeLive(live: KubeObject | undefined): Managers {
  try {
    return decodeManagers(live?.metadata?.managedFields);
  } catch (error) {
    throw internalError(`failed to decode managed fields: ${(error as Error).message}`);
  }
}

function applyOrExplain(
  options: ApplyOptions,
  context: UpdaterContext,
  live: Tree,
  config: Tree,
  managers: Managers,
  self: string,
): Tree | undefined {
  const attempt = new Map(managers);
  try {
    const result = applyOwnership(context, live, config, attempt, self, options.force ?? false);
    replaceAll(managers, attempt);
    return result;
  } catch (error) {
    if (error instanceof TypedTreeError) {
      throw internalError(`failed to merge config: ${error.message}`);
    }
    if (!(error instanceof ConflictsError)) throw error;
    // kubectl that used to apply on its own side may take over what its annotation says it wrote.
    const allowed = options.manager === "kubectl" ? allowedByLastApplied(live, context) : undefined;
    const left = error.conflicts.filter(({ path }) => !(allowed?.has(path) ?? false));
    if (left.length > 0) throw conflictError(left);
    return applyOwnership(context, live, config, managers, self, true);
  }
}

function replaceAll(target: Managers, source: Managers): void {
  target.clear();
  for (const [identifier, manager] of source) target.set(identifier, manager);
}

/** Brings managedFields up to date after any write that is no apply. */
export function updateManagedFields(options: UpdateOptions): KubeObject {
  const prepared = prepare(options, options.live);
  const managers = managersOfUpdate(options);
  if (managers.size === 0 && options.live === undefined) return createdBy(options, prepared);
  const { context, live } = prepared;
  const updated = bare(options.updated, options);
  const untracked = managers.size === 0 && (options.live?.metadata?.uid ?? "") !== "";
  if (!untracked) recordUpdate(context, live, updated, managers, options);
  const { managedFields: _sent, ...metadata } = options.updated.metadata ?? {};
  return withManagers({ ...options.updated, metadata }, managers);
}

/** A new object: whoever creates it owns it. */
function createdBy(options: UpdateOptions, { context, live, time }: Prepared): KubeObject {
  const exempt = { reset: context.resetFields, unowned };
  const fieldsV1 = ownedByCreator(live, bare(options.updated, options), context.schema, exempt);
  const { managedFields: _sent, ...metadata } = options.updated.metadata ?? {};
  if (fieldsV1 === undefined) return { ...options.updated, metadata };
  const { apiVersion, subresource = "" } = options;
  const identity = { manager: nameOf(options), operation: "Update", subresource };
  const entry = entryOf(identity, { apiVersion, time }, fieldsV1);
  return { ...options.updated, metadata: { ...metadata, managedFields: [entry] } };
}

/** What a client sends counts when it is well formed, so that it can edit or reset the entries. */
function managersOfUpdate(options: UpdateOptions): Managers {
  const sent = options.updated.metadata?.managedFields;
  const ofLive = (): Managers => lenient(options.live?.metadata?.managedFields);
  if ((options.subresource ?? "") !== "") return ofLive();
  const single = sent?.length === 1 ? sent[0]! : undefined;
  const isReset =
    sent?.length === 0 || (single !== undefined && Object.values(single).every((v) => v == null));
  if (isReset) return new Map();
  const managers = lenient(sent);
  return managers.size === 0 ? ofLive() : managers;
}

function lenient(entries: Parameters<typeof decodeManagers>[0]): Managers {
  try {
    return decodeManagers(entries);
  } catch {
    return new Map();
  }
}

function recordUpdate(
  context: UpdaterContext,
  before: Tree,
  after: Tree,
  managers: Managers,
  options: OwnershipOptions,
): void {
  const self = identify(options, "Update");
  updateOwnership({ ...context, writer: self }, before, after, managers, currentOperation);
  stripUnowned(managers, currentOperation);
  const current = managers.get(currentOperation);
  if (current !== undefined) {
    managers.delete(currentOperation);
    const previous = managers.get(self);
    const set = previous === undefined ? current.set : current.set.union(previous.set);
    managers.set(self, { ...current, set, time: formatTime(options.nowMs) });
  }
  capUpdateManagers(managers);
}

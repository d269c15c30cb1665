/**
 * metadata.managedFields: who set which field.
 *
 * Source  apimachinery pkg/util/managedfields, apiserver pkg/endpoints/handlers/fieldmanager
 */
import {
  apply,
  deepEqual,
  type KubeObject,
  type OwnershipOptions,
  TypedTreeError,
  updateManagedFields,
} from "@nanokube/machinery";
import type { RestContext } from "./context.ts";
import { acrossVersions } from "./managed-versions.ts";
import type { WriteOptions } from "./options.ts";

/** The manager when the caller names none: what stands before the slash in its user agent. */
export function managerOf(
  context: RestContext,
  options: Pick<WriteOptions, "fieldManager">,
): string {
  if (options.fieldManager !== "") return options.fieldManager;
  const agent = (context.request.headers["user-agent"] ?? "").split("/")[0]!;
  return agent.replace(/\p{C}/gu, "").slice(0, 128);
}

function ownership(context: RestContext, options: WriteOptions): OwnershipOptions {
  const { resource, info, server } = context;
  const { custom } = resource;
  return {
    ...(resource.typeName === undefined ? {} : { typeName: resource.typeName }),
    ...(custom === undefined ? {} : { schema: custom.applySchema }),
    apiVersion: resource.apiVersion,
    manager: managerOf(context, options),
    subresource: info.subresource,
    nowMs: server.clock.now(),
    resetFields: resetFields(context),
  };
}

type Paths = readonly (readonly string[])[];

/** What a status endpoint resets beside the spec, or in its place. */
const statusResets: Readonly<Record<string, Paths>> = {
  apiservices: [["spec"], ["metadata"]],
  certificatesigningrequests: [["spec"], ["status", "conditions"]],
  deployments: [["spec"], ["metadata", "labels"]],
  devicetaintrules: [["spec"], ["metadata"]],
  flowschemas: [["spec"], ["metadata"]],
  pods: [["spec"], ["metadata", "deletionTimestamp"], ["metadata", "ownerReferences"]],
  prioritylevelconfigurations: [["spec"], ["metadata"]],
  resourceclaims: [["spec"], ["metadata"]],
  servicecidrs: [["spec"], ["metadata"]],
  storageversionmigrations: [["spec"], ["metadata"]],
  validatingadmissionpolicies: [["spec"], ["metadata"]],
  volumeattachments: [["spec"], ["metadata"]],
};

/** Fields that this endpoint does not write are not owned by who sends them. */
function resetFields({ resource, info }: RestContext): Paths {
  const { plural, subresources } = resource.info;
  if (info.subresource === "status") {
    return (resource.custom === undefined ? statusResets[plural] : undefined) ?? [["spec"]];
  }
  if (info.subresource === "approval") return [["spec"], ["status", "certificate"]];
  if (plural === "certificatesigningrequests" && resource.custom === undefined) {
    return [["spec"], ["status"]];
  }
  return subresources?.some((sub) => sub.name === "status") ? [["status"]] : [];
}

/** Records what this write changed under the caller's name. */
export async function trackUpdate(
  context: RestContext,
  current: KubeObject | undefined,
  object: KubeObject,
  options: WriteOptions,
): Promise<void> {
  const managed = await managedFieldsAfter(context, current, object, options);
  object.metadata ??= {};
  if (managed === undefined) delete object.metadata.managedFields;
  else object.metadata.managedFields = managed;
}

/** None for an object whose fields cannot be told apart: a list item without its keys. */
async function managedFieldsAfter(
  context: RestContext,
  live: KubeObject | undefined,
  updated: KubeObject,
  options: WriteOptions,
): Promise<NonNullable<KubeObject["metadata"]>["managedFields"]> {
  try {
    const { metadata } = await acrossVersions(context.resource, (convert) =>
      updateManagedFields({ ...ownership(context, options), ...convert, live, updated }),
    );
    return metadata?.managedFields;
  } catch (error) {
    if (error instanceof TypedTreeError) return undefined;
    throw error;
  }
}

/** The object after the caller's configuration is applied to it. */
export async function applyConfiguration(
  context: RestContext,
  live: KubeObject | undefined,
  applied: KubeObject,
  options: WriteOptions,
): Promise<KubeObject> {
  const { force } = options;
  const { object } = await acrossVersions(context.resource, (convert) =>
    apply({ ...ownership(context, options), ...convert, live, applied, force }),
  );
  return object;
}

/** True when only the times in managedFields differ, which is no change at all. */
export function sameButTimestamps(object: KubeObject, old: KubeObject): boolean {
  const now = object.metadata?.managedFields ?? [];
  const before = old.metadata?.managedFields ?? [];
  if (now.length !== before.length) return false;
  const same = now.every((entry, i) => {
    const { time: _now, ...rest } = entry;
    const { time: _before, ...restBefore } = before[i]!;
    return deepEqual(rest, restBefore);
  });
  return same;
}

/** Keeps the old times when nothing but times would change. */
export function keepTimestamps(object: KubeObject, old: KubeObject): void {
  if (object.metadata === undefined || !sameButTimestamps(object, old)) return;
  const before = old.metadata?.managedFields;
  if (before === undefined) return;
  const { managedFields: _now, ...meta } = object.metadata;
  const { managedFields: _before, ...oldMeta } = old.metadata ?? {};
  const { metadata: _m, ...rest } = object;
  const { metadata: _o, ...oldRest } = old;
  if (deepEqual(meta, oldMeta) && deepEqual(rest, oldRest)) object.metadata.managedFields = before;
}

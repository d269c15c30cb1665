/**
 * One version of a custom resource, as the server serves it.
 *
 * Source  apiextensions-apiserver pkg/apiserver/customresource_handler.go
 */
import type { ResourceInfo } from "@nanokube/api";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from "@nanokube/api/apiextensions/v1";
import type { Clock, Log, Random } from "@nanokube/machinery";
import type { WebhookCaller } from "../admission/webhooks/caller.ts";
import type { ResourceCache } from "../cache/resource-cache.ts";
import type { StorageCodec } from "../cache/stored-object.ts";
import type { LocalClient } from "../local-client.ts";
import { customTypeName } from "../openapi/custom-resources.ts";
import type { ResourceRegistry } from "../registry.ts";
import type { CustomVersion, ServedResource } from "../rest/context.ts";
import { encodeStored, parseTree } from "../storage/canonical.ts";
import { storagePrefix } from "../storage/keys.ts";
import type { ObjectStore } from "../storage/store.ts";
import { customApplySchema } from "./apply-schema.ts";
import {
  type Convert,
  CustomReading,
  convertTo,
  type VersionShape,
  type VersionShapes,
} from "./custom-reading.ts";
import { customStrategy, fieldSelection, type PrinterColumn } from "./custom-strategy.ts";
import { coerceMeta } from "./embedded-decode.ts";
import type { ScalePaths } from "./scale-paths.ts";
import { prune, type Schema } from "./structural-schema.ts";

const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

export interface CustomResourceDeps {
  registry: ResourceRegistry;
  store: ObjectStore;
  clock: Clock;
  log: Log;
  local: LocalClient;
  random: Random;
  open(prefix: string, codec: StorageCodec): ResourceCache;
  /** Asks conversion webhooks. */
  callWebhook: WebhookCaller;
}

/** Shared by a definition's versions. */
export interface Life {
  isEnding: boolean;
}

interface Version {
  crd: CustomResourceDefinition;
  version: CustomResourceDefinitionVersion;
  shapes: VersionShapes;
  life: Life;
  deps: CustomResourceDeps;
}

export function shapesOf({ spec = {} }: CustomResourceDefinition): VersionShapes {
  const shapes = (spec.versions ?? []).map((version): VersionShape => {
    const schema = version.schema?.openAPIV3Schema as Schema | undefined;
    const apiVersion = `${spec.group}/${version.name}`;
    return { apiVersion, schema, keepsUnknown: spec.preserveUnknownFields === true };
  });
  return new Map(shapes.map((shape) => [shape.apiVersion, shape]));
}

/** What asks a definition's webhook is loaded when the first object has to be converted. */
function converterOf(
  crd: CustomResourceDefinition,
  { callWebhook: call, random }: CustomResourceDeps,
): Convert | undefined {
  if (crd.spec?.conversion?.strategy !== "Webhook") return undefined;
  return async (object, apiVersion) => {
    const { convertByWebhook } = await import("./webhook-conversion.ts");
    return convertByWebhook(crd, object, apiVersion, { call, random });
  };
}

/** For managed fields: nothing is pruned, and no webhook is asked about what is still empty. */
function versionsOf(shapes: VersionShapes, convert: Convert | undefined) {
  return (apiVersion: string): CustomVersion | undefined => {
    const shape = shapes.get(apiVersion);
    if (shape === undefined) return undefined;
    return {
      applySchema: customApplySchema(shape.schema ?? {}),
      async convert(tree) {
        const isEmpty = Object.keys(tree).every((key) => key === "apiVersion" || key === "kind");
        if (convert === undefined || isEmpty) return { ...tree, apiVersion };
        return convert(tree, apiVersion);
      },
    };
  };
}

const selectablePaths = (version: CustomResourceDefinitionVersion): string[] =>
  version.selectableFields?.map((field) => field.jsonPath ?? "") ?? [];

/** All versions share one cache, whose objects are of any of them. */
function selectionByVersion(crd: CustomResourceDefinition): StorageCodec["selectableFields"] {
  const { group = "", versions = [] } = crd.spec ?? {};
  const byVersion = new Map(
    versions.map((version) => [
      `${group}/${version.name}`,
      fieldSelection(selectablePaths(version)),
    ]),
  );
  return (tree) => byVersion.get(tree.apiVersion ?? "")?.(tree) ?? {};
}

export function customResource({ crd, version, shapes, life, deps }: Version): ServedResource {
  const { group = "", names = {}, versions = [] } = crd.spec ?? {};
  const stored = versions.find((one) => one.storage)?.name ?? version.name ?? "";
  const schema = version.schema?.openAPIV3Schema as Schema | undefined;
  const keepAll = crd.spec?.preserveUnknownFields === true || schema === undefined;
  const strategy = customStrategy({
    schema,
    columns: (version.additionalPrinterColumns ?? []) as PrinterColumn[],
    selectableFields: selectablePaths(version),
    hasStatus: version.subresources?.status !== undefined,
    scale: version.subresources?.scale as ScalePaths | undefined,
  });
  const codec: StorageCodec = {
    encode: encodeStored,
    decode: parseTree,
    selectableFields: selectionByVersion(crd),
  };
  const apiVersion = `${group}/${version.name}`;
  const storageVersion = `${group}/${stored}`;
  const convert = converterOf(crd, deps);
  const storageShape = shapes.get(storageVersion)!;
  return {
    info: infoOf(crd, version),
    strategy,
    cache: deps.open(storagePrefix(group, names.plural ?? "", true), codec),
    typeName: undefined,
    custom: {
      isEnding: () => life.isEnding,
      prune: (object) => {
        const unknown = coerceMeta(schema ?? {}, object);
        return [...unknown, ...(keepAll ? [] : prune(schema!, object))].sort();
      },
      applySchema: customApplySchema(schema ?? {}),
      version: versionsOf(shapes, convert),
      schema: schema as { [key: string]: unknown } | undefined,
      scale: version.subresources?.scale as ScalePaths | undefined,
    },
    apiVersion,
    storageVersion,
    toStorage: (object) => convertTo(storageShape, object, convert),
    fromStorage: (object) => object,
    reading: new CustomReading({ shape: shapes.get(apiVersion)!, shapes, codec, convert }),
  };
}

function infoOf(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
): ResourceInfo {
  const { group = "", scope } = crd.spec ?? {};
  const names = crd.status?.acceptedNames ?? crd.spec?.names ?? {};
  const subresources = [];
  const change = ["get", "patch", "update"];
  if (version.subresources?.status !== undefined)
    subresources.push({ name: "status", verbs: change });
  if (version.subresources?.scale !== undefined) {
    const kind = { group: "autoscaling", version: "v1", kind: "Scale" };
    subresources.push({ name: "scale", verbs: change, kind });
  }
  return {
    group,
    version: version.name ?? "",
    kind: names.kind ?? "",
    plural: names.plural ?? "",
    singular: names.singular ?? "",
    namespaced: scope === "Namespaced",
    ...(names.shortNames === undefined ? {} : { shortNames: names.shortNames }),
    ...(names.categories === undefined ? {} : { categories: names.categories }),
    verbs,
    type: customTypeName(group, version.name ?? "", names.kind ?? ""),
    listType: customTypeName(group, version.name ?? "", names.listKind ?? `${names.kind}List`),
    subresources,
    ga: true,
  };
}

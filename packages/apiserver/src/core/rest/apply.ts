/**
 * Server-side apply: the caller states the fields it wants and owns.
 *
 * Errors  409 Conflict with one cause a field, unless forced; 400 for YAML that cannot be read
 * Source  apiserver pkg/endpoints/handlers/patch.go (applyPatcher), apimachinery
 *         pkg/util/managedfields
 */
import {
  badRequest,
  isPlainObject,
  type KubeObject,
  parseYAML,
  repeatedKeys,
} from "@nanokube/machinery";
import type { ApiResponse, RestContext } from "./context.ts";
import { addStrictWarnings, expectedOf, messageOf } from "./decode-body.ts";
import { applyDefaults } from "./defaults.ts";
import { applyConfiguration } from "./field-managers.ts";
import { ensureNamespace, metadataOf } from "./object-meta.ts";
import type { WriteOptions } from "./options.ts";
import { changeObject, respond } from "./update.ts";

export async function serverSideApply(
  context: RestContext,
  text: string,
  options: WriteOptions,
): Promise<ApiResponse> {
  const applied = readConfiguration(context, text);
  const absent: KubeObject = { apiVersion: applied.apiVersion!, kind: applied.kind! };
  const change = {
    uid: applied.metadata?.uid || undefined,
    createsWhenAbsent: true,
    keepsTrying: true,
    alreadyTracked: true,
    apply: async (current: KubeObject) => {
      const object = await applyConfiguration(context, current, structuredClone(applied), options);
      ensureNamespace(context, object);
      checkName(context, applied);
      checkRepeatedKeys(context, text, options);
      applyDefaults(context, object);
      return object;
    },
    create: () => {
      checkName(context, applied);
      checkRepeatedKeys(context, text, options);
      const live = context.resource.typeName === undefined ? absent : undefined;
      return applyConfiguration(context, live, structuredClone(applied), options);
    },
  };
  return respond(context, await changeObject(context, change, options));
}

/** Conflicts are told first. */
function checkName({ info }: RestContext, { metadata }: KubeObject): void {
  if (metadata?.name === info.name) return;
  throw badRequest(
    `the name of the object (${metadata?.name}) does not match the name on the URL (${info.name})`,
  );
}

/** A key that comes twice: the last one counts, unless the caller is strict. */
function checkRepeatedKeys(context: RestContext, text: string, options: WriteOptions): void {
  if (options.fieldValidation === "Ignore") return;
  const complaint = repeatedKeys(text);
  if (complaint === undefined) return;
  const why = `error converting YAML to JSON: ${complaint}`;
  if (options.fieldValidation === "Strict") throw badRequest(`error strict decoding YAML: ${why}`);
  addStrictWarnings(context, [why]);
}

function readConfiguration(context: RestContext, text: string): KubeObject {
  let parsed: unknown;
  try {
    parsed = parseYAML(text);
  } catch (error) {
    throw badRequest(`error decoding YAML: error converting YAML to JSON: ${messageOf(error)}`);
  }
  if (!isPlainObject(parsed)) {
    throw badRequest(
      "error decoding YAML: json: cannot unmarshal into Go value of type map[string]interface {}",
    );
  }
  const applied = parsed as KubeObject;
  checkKind(context, applied);
  // What is no object there is refused with everything else that no schema knows.
  if (applied.metadata !== undefined && !isPlainObject(applied.metadata)) return applied;
  const { name } = context.info;
  const meta = metadataOf(applied);
  if (meta.name === undefined || meta.name === "") meta.name = name;
  return applied;
}

function checkKind(context: RestContext, { apiVersion, kind }: Record<string, unknown>): void {
  const expected = expectedOf(context);
  if (apiVersion === expected.apiVersion && kind === expected.kind) return;
  const text = typeof apiVersion === "string" ? apiVersion : "";
  const version = text.includes("/") ? text : `/${text}`;
  throw badRequest(`invalid object type: ${version}, Kind=${typeof kind === "string" ? kind : ""}`);
}

/**
 * Options in a query string (or, for deletions, a body), checked as upstream checks them.
 *
 * Errors  422 Invalid for CreateOptions, UpdateOptions, PatchOptions, DeleteOptions, ListOptions
 * Source  apimachinery pkg/apis/meta/v1/validation/validation.go,
 *         pkg/apis/meta/internalversion/validation/validation.go
 */
import {
  badRequest,
  type FieldError,
  forbiddenField,
  invalid,
  invalidValue,
  type KubeObject,
  notSupported,
  required,
  tooLong,
} from "@nanokube/machinery";

export interface WriteOptions {
  dryRun: boolean;
  fieldManager: string;
  fieldValidation: "Strict" | "Warn" | "Ignore";
  force: boolean;
  /** The options as an object, for admission. */
  object: KubeObject;
}

const validations = ["Ignore", "Strict", "Warn"] as const;
const fieldManagerMax = 128;

export function parseWriteOptions(
  query: URLSearchParams,
  kind: "CreateOptions" | "UpdateOptions" | "PatchOptions",
  patchType?: string,
): WriteOptions {
  const dryRun = query.getAll("dryRun").filter((value) => value !== "");
  const fieldManager = query.get("fieldManager") ?? "";
  const fieldValidation = query.get("fieldValidation") ?? "";
  const force = query.get("force");
  const errors: FieldError[] = [
    ...(kind === "PatchOptions" ? checkPatch(patchType ?? "", fieldManager, force) : []),
    ...checkFieldManager(fieldManager),
    ...checkDryRun(dryRun),
    ...checkFieldValidation(fieldValidation),
  ];
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind }, "", errors);
  const object: KubeObject = { kind, apiVersion: "meta.k8s.io/v1" };
  if (dryRun.length > 0) object.dryRun = dryRun;
  if (fieldManager !== "") object.fieldManager = fieldManager;
  if (fieldValidation !== "") object.fieldValidation = fieldValidation;
  if (force !== null) object.force = parseBool(force);
  return {
    dryRun: dryRun.length > 0,
    fieldManager,
    fieldValidation: (fieldValidation || "Warn") as WriteOptions["fieldValidation"],
    force: force !== null && parseBool(force),
    object,
  };
}

function checkPatch(patchType: string, manager: string, force: string | null): FieldError[] {
  const errors: FieldError[] = [];
  if (patchType === "apply") {
    if (manager === "") {
      errors.push(required("fieldManager", "is required for apply patch"));
    }
  } else if (force !== null) {
    errors.push(forbiddenField("force", "may not be specified for non-apply patch"));
  }
  return errors;
}

export function checkDryRun(values: readonly string[]): FieldError[] {
  const path = "dryRun";
  const wrong = values.filter((value) => value !== "All");
  return wrong.length === 0 ? [] : [notSupported(path, values, ["All"])];
}

function checkFieldValidation(value: string): FieldError[] {
  if (value === "" || (validations as readonly string[]).includes(value)) return [];
  return [notSupported("fieldValidation", value, ["", ...validations])];
}

function checkFieldManager(manager: string): FieldError[] {
  const errors: FieldError[] = [];
  if (new TextEncoder().encode(manager).length > fieldManagerMax) {
    errors.push(tooLong("fieldManager", manager, fieldManagerMax));
  }
  for (const [i, character] of [...manager].entries()) {
    if (!/\p{C}/u.test(character)) continue;
    const why = `invalid character U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")} (at position ${i})`;
    errors.push(invalidValue("fieldManager", manager, why));
  }
  return errors;
}

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  orphanDependents?: boolean;
  dryRun: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  object: KubeObject;
}

/** From the body when there is one, else from the query. */
export function parseDeleteOptions(
  query: URLSearchParams,
  body: KubeObject | undefined,
): DeleteOptions {
  const object: KubeObject = body ?? deleteOptionsFromQuery(query);
  object.kind = "DeleteOptions";
  object.apiVersion ??= "meta.k8s.io/v1";
  const dryRun = (object.dryRun as string[] | undefined) ?? [];
  const policy = object.propagationPolicy as string | undefined;
  const orphan = object.orphanDependents as boolean | undefined;
  const errors: FieldError[] = [];
  if (policy !== undefined && orphan !== undefined) {
    errors.push(
      invalidValue(
        "propagationPolicy",
        policy,
        "orphanDependents and deletionPropagation cannot be both set",
      ),
    );
  }
  if (policy !== undefined && !["Foreground", "Background", "Orphan"].includes(policy)) {
    errors.push(
      notSupported("propagationPolicy", policy, ["Foreground", "Background", "Orphan", "nil"]),
    );
  }
  errors.push(...checkDryRun(dryRun));
  if (errors.length > 0) {
    throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
  }
  const result: DeleteOptions = { dryRun: dryRun.length > 0, object };
  const grace = object.gracePeriodSeconds as number | undefined | null;
  if (grace !== undefined && grace !== null) result.gracePeriodSeconds = grace;
  if (policy !== undefined) result.propagationPolicy = policy;
  if (orphan !== undefined) result.orphanDependents = orphan;
  const preconditions = object.preconditions as DeleteOptions["preconditions"];
  if (preconditions !== undefined && preconditions !== null) result.preconditions = preconditions;
  return result;
}

function deleteOptionsFromQuery(query: URLSearchParams): KubeObject {
  const object: KubeObject = {};
  const grace = query.get("gracePeriodSeconds");
  if (grace !== null) object.gracePeriodSeconds = parseInteger(grace);
  const orphan = query.get("orphanDependents");
  if (orphan !== null) object.orphanDependents = parseBool(orphan);
  const policy = query.get("propagationPolicy");
  if (policy !== null) object.propagationPolicy = policy;
  const dryRun = query.getAll("dryRun").filter((value) => value !== "");
  if (dryRun.length > 0) object.dryRun = dryRun;
  return object;
}

export function parseBool(value: string): boolean {
  const lower = value.toLowerCase();
  return lower !== "false" && lower !== "0";
}

export function parseInteger(value: string): number {
  if (!/^[+-]?[0-9]+$/.test(value)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  return Number(value);
}

/**
 * What a list, a watch or a deletecollection selects, and how old its answer may be.
 *
 * Units   limit objects, timeoutSeconds seconds, resourceVersion etcd's revision as a string
 * Errors  422 Invalid "ListOptions", 400 for a selector or a number that cannot be parsed
 * Source  apimachinery pkg/apis/meta/internalversion/validation/validation.go
 */
import {
  badRequest,
  type FieldError,
  type FieldSelector,
  forbiddenField,
  genericStatus,
  invalid,
  notSupported,
  parseFieldSelector,
  parseLabelSelector,
  type Selector,
} from "@nanokube/machinery";
import type { StoredObject } from "../cache/stored-object.ts";
import { isTrueParameter } from "../request-info.ts";
import { parseInteger } from "./options.ts";

export interface ListOptions {
  labelSelector: Selector | undefined;
  fieldSelector: FieldSelector | undefined;
  limit: number;
  continueToken: string;
  resourceVersion: string;
  resourceVersionMatch: string;
  allowWatchBookmarks: boolean;
  sendInitialEvents: boolean | undefined;
  timeoutSeconds: number | undefined;
}

/** `isWatchList`: a watch may be asked for everything there is before its changes. */
export function parseListOptions(
  query: URLSearchParams,
  watch: boolean,
  isWatchList = true,
): ListOptions {
  const initial = query.get("sendInitialEvents");
  const timeout = query.get("timeoutSeconds");
  const options: ListOptions = {
    labelSelector: labelSelectorOf(query.get("labelSelector")),
    fieldSelector: fieldSelectorOf(query.get("fieldSelector")),
    limit: parseInteger(query.get("limit") || "0"),
    continueToken: query.get("continue") ?? "",
    resourceVersion: query.get("resourceVersion") ?? "",
    resourceVersionMatch: query.get("resourceVersionMatch") ?? "",
    allowWatchBookmarks: isTrueParameter(query.get("allowWatchBookmarks")),
    sendInitialEvents: initial === null || initial === "" ? undefined : isTrueParameter(initial),
    timeoutSeconds: timeout === null || timeout === "" ? undefined : parseInteger(timeout),
  };
  if (watch && isWatchList) settleStart(options);
  const errors = watch ? checkWatch(options, isWatchList) : checkList(options);
  if (!watch) settleLimit(options);
  if (errors.length > 0) {
    throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  }
  return options;
}

/**
 * What upstream's cache makes of a limit: at version 0 it answers with everything, and at another
 * version it answers with the past, as if an exact match had been asked for.
 */
function settleLimit(options: ListOptions): void {
  const { limit, continueToken, resourceVersion, resourceVersionMatch } = options;
  if (limit <= 0 || continueToken !== "" || resourceVersion === "") return;
  if (resourceVersion === "0") options.limit = 0;
  else if (resourceVersionMatch === "") options.resourceVersionMatch = "Exact";
}

function labelSelectorOf(text: string | null): Selector | undefined {
  if (text === null || text === "") return undefined;
  let selector: Selector;
  try {
    selector = parseLabelSelector(text);
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
  return selector.empty() ? undefined : selector;
}

function fieldSelectorOf(text: string | null): FieldSelector | undefined {
  if (text === null || text === "") return undefined;
  try {
    return parseFieldSelector(text);
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

function checkList(options: ListOptions): FieldError[] {
  const errors: FieldError[] = [];
  const match = options.resourceVersionMatch;
  const matchPath = "resourceVersionMatch";
  const version = options.resourceVersion;
  const isInitial = options.sendInitialEvents !== undefined;
  const initial = forbiddenField("sendInitialEvents", "sendInitialEvents is forbidden for list");
  if (match === "") return isInitial ? [initial] : errors;
  if (version === "") {
    errors.push(
      forbiddenField(
        matchPath,
        "resourceVersionMatch is forbidden unless resourceVersion is provided",
      ),
    );
  }
  if (options.continueToken !== "") {
    errors.push(
      forbiddenField(matchPath, "resourceVersionMatch is forbidden when continue is provided"),
    );
  }
  if (match !== "Exact" && match !== "NotOlderThan") {
    errors.push(notSupported(matchPath, match, ["Exact", "NotOlderThan", ""]));
  }
  if (match === "Exact" && version === "0") {
    errors.push(
      forbiddenField(
        matchPath,
        'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
      ),
    );
  }
  if (isInitial) errors.push(initial);
  return errors;
}

function checkWatch(options: ListOptions, isWatchList: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const refuse = (why: string) => errors.push(forbiddenField("resourceVersionMatch", why));
  const { resourceVersionMatch: match, sendInitialEvents, continueToken } = options;
  if (sendInitialEvents !== undefined && match !== "NotOlderThan") {
    refuse("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  if (sendInitialEvents !== undefined && !isWatchList) {
    const why =
      "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
    errors.push(forbiddenField("sendInitialEvents", why));
  }
  if (match === "") return errors;
  if (sendInitialEvents === undefined) {
    refuse("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
  }
  if (match !== "NotOlderThan") {
    errors.push(notSupported("resourceVersionMatch", match, ["NotOlderThan"]));
  }
  if (continueToken !== "") {
    refuse("resourceVersionMatch is forbidden when continue is provided");
  }
  return errors;
}

/** A watch from anywhere asks for what is there, and a bookmark behind it, without saying so. */
function settleStart(options: ListOptions): void {
  const { sendInitialEvents, resourceVersionMatch, resourceVersion } = options;
  if (sendInitialEvents !== undefined || resourceVersionMatch !== "") return;
  if (resourceVersion !== "" && resourceVersion !== "0") return;
  options.sendInitialEvents = true;
  options.resourceVersionMatch = "NotOlderThan";
}

/** A resourceVersion as a revision; 400 or 422 when it is no number. */
export function revisionOf(resourceVersion: string): number {
  if (resourceVersion === "") return 0;
  if (!/^[0-9]+$/.test(resourceVersion)) {
    const quoted = JSON.stringify(resourceVersion);
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`,
    );
  }
  return Number(resourceVersion);
}

/** Upstream's watch cache has no reason for a version that is no number. */
export function versionToWatch(version: string): number {
  const isNumber = /^[0-9]+$/.test(version);
  if (isNumber && BigInt(version) < 2n ** 64n) return Number(version);
  const quoted = JSON.stringify(version);
  const problem = isNumber ? "value out of range" : "invalid syntax";
  const why = `strconv.ParseUint: parsing ${quoted}: ${problem}`;
  throw genericStatus(500, "", `resourceVersion: Invalid value: ${quoted}: ${why}`);
}

const metadataFields = new Set(["metadata.name", "metadata.namespace"]);

/** Undefined when everything matches: then nobody has to parse anything. */
export function predicateOf(
  options: Pick<ListOptions, "labelSelector" | "fieldSelector">,
): ((object: StoredObject) => boolean) | undefined {
  const { labelSelector, fieldSelector } = options;
  if (labelSelector === undefined && fieldSelector === undefined) return undefined;
  const onlyMetadata = fieldSelector?.requirements.every((r) => metadataFields.has(r.field));
  return (object) => {
    if (fieldSelector !== undefined) {
      const fields = onlyMetadata
        ? { "metadata.name": object.name, "metadata.namespace": object.namespace }
        : object.index.fields;
      if (!fieldSelector.matches(fields)) return false;
    }
    return labelSelector === undefined || labelSelector.matches(object.index.labels);
  };
}

export interface KnownFields {
  has(field: string): boolean;
  /** A kind without namespaces that has fields of its own does not know of them. */
  hasNamespace: boolean;
  /** Of a field that it has not. */
  refusal(field: string): string;
}

const metadataOnly: KnownFields = {
  has: () => false,
  hasNamespace: true,
  refusal: (field) =>
    `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
};

/** Field selectors may only name what the kind offers; they go on under the stored names. */
export function checkFieldSelector(
  options: Pick<ListOptions, "fieldSelector">,
  known: KnownFields = metadataOnly,
  labels?: Readonly<Record<string, string>>,
): void {
  for (const { field } of options.fieldSelector?.requirements ?? []) {
    const isForeign = field === "metadata.namespace" && !known.hasNamespace;
    if ((metadataFields.has(field) && !isForeign) || known.has(field)) continue;
    throw badRequest(known.refusal(field));
  }
  if (labels === undefined) return;
  options.fieldSelector = options.fieldSelector?.transform((requirement) => ({
    ...requirement,
    field: labels[requirement.field] ?? requirement.field,
  }));
}

/**
 * From a request's verb and subresource to the operation that answers it.
 *
 * Errors  405 for a verb that the resource does not have, 404 for a subresource it does not have
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/installer.go
 */
import { badRequest, genericStatus, notFound, notImplemented } from "@nanokube/machinery";
import type { ApiResponse, RestContext } from "./context.ts";
import { create } from "./create.ts";
import { remove } from "./delete.ts";
import { removeCollection } from "./delete-collection.ts";
import { methodNotAllowed } from "./method-not-allowed.ts";
import { patch } from "./patch.ts";
import { get, list } from "./read.ts";
import { bind } from "./subresources/binding.ts";
import { evict } from "./subresources/eviction.ts";
import { getScale, patchScale, updateScale } from "./subresources/scale.ts";
import { update } from "./update.ts";
import { watch } from "./watch.ts";

export type Operation = (context: RestContext) => Promise<ApiResponse>;

const mainOperations: Readonly<Record<string, Operation>> = {
  create,
  get,
  list,
  watch,
  update,
  patch,
  delete: remove,
  deletecollection: removeCollection,
};

/** Verbs of one object; the others are the collection's. */
const namedVerbs = new Set(["get", "update", "patch", "delete"]);

const plain: Readonly<Record<string, Operation>> = { get, update, patch };
const scale: Readonly<Record<string, Operation>> = {
  get: getScale,
  update: updateScale,
  patch: patchScale,
};

const subresources: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  status: plain,
  approval: plain,
  ephemeralcontainers: plain,
  resize: plain,
  finalize: plain,
  scale,
  binding: { create: bind },
  eviction: { create: evict },
};

/** Operations that need the outside (kubelets, keys) are lent by the server. */
export type OutsideOperations = (context: RestContext) => Operation | undefined;

export function operationFor(context: RestContext, outside: OutsideOperations): Operation {
  const { info, resource } = context;
  const lent = outside(context);
  if (lent !== undefined) return lent;
  if (info.subresource === "") {
    if (info.verb === "watch" && !["GET", "HEAD"].includes(context.request.method)) {
      throw methodNotAllowed();
    }
    if (info.verb === "watch" && info.parts.length > 1) return watch;
    const operation = mainOperations[info.verb];
    const fits = info.parts.length > 1 === namedVerbs.has(info.verb);
    const isNameless = resource.custom !== undefined && !fits && namedVerbs.has(info.verb);
    if (isNameless) throw badRequest("name must be provided");
    if (!hasPath(context)) throw noSuchResource();
    if (operation === undefined || !fits || !resource.info.verbs.includes(info.verb)) {
      throw methodNotAllowed();
    }
    return operation;
  }
  const offered = resource.info.subresources?.find((sub) => sub.name === info.subresource);
  if (offered === undefined && resource.custom !== undefined) {
    throw notFound({ group: info.apiGroup, resource: info.resource }, info.name);
  }
  if (offered === undefined) throw noSuchResource();
  if (!offered.verbs.includes(info.verb)) throw methodNotAllowed();
  const operation = subresources[info.subresource]?.[info.verb];
  if (operation !== undefined) return operation;
  throw notImplemented(
    `${info.verb} of ${resource.info.plural}/${info.subresource} is not implemented by nanokube`,
  );
}

/** Does any verb of the resource live at this path: of one object, of a collection, of all? */
function hasPath({ info, resource: { info: own, custom } }: RestContext): boolean {
  if (custom !== undefined) return true;
  if (info.parts.length > 1) return own.verbs.some((verb) => namedVerbs.has(verb));
  const isEverywhere = own.namespaced && info.namespace === "";
  return !isEverywhere || own.verbs.includes("list");
}

export function noSuchResource(): Error {
  const error = genericStatus(404, "NotFound", "the server could not find the requested resource");
  error.status.details = {};
  return error;
}

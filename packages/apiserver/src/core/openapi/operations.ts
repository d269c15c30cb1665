/**
 * Every path of a resource and what one may do there: OpenAPI before it is written as v2 or v3.
 *
 * Shapes  collection     /apis/G/V/namespaces/{namespace}/PLURAL     list, create, deletecollection
 *         object         …/{name}                                    get, put, patch, delete
 *         subresource    …/{name}/SUB, and …/SUB/{path} for proxies
 *         everywhere     /apis/G/V/PLURAL                            list over all namespaces
 *         watch          /apis/G/V/watch/…                           built-in resources only
 *         operationId    verb + group and version + the rest: listAppsV1NamespacedDeployment
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/installer.go, endpoints/openapi/openapi.go;
 *         for custom resources apiextensions-apiserver/pkg/controller/openapi/builder/builder.go
 */
import {
  type GroupVersionKind,
  type ResourceInfo,
  type SubresourceInfo,
  typeOf,
} from "@nanokube/api";
import {
  deleting,
  deletingCollection,
  listing,
  optionParameters,
  type Parameter,
  patching,
  pathParameter,
  pretty,
  resourceVersion,
  writing,
} from "./parameters.ts";

export type Method = "get" | "put" | "post" | "delete" | "options" | "head" | "patch";

export const methods: readonly Method[] = [
  "get",
  "put",
  "post",
  "delete",
  "options",
  "head",
  "patch",
];

/** A type's name, or the word "string". */
export type Body = string;

export interface Operation {
  readonly method: Method;
  readonly id: string;
  readonly tag: string;
  readonly action?: string;
  readonly kind?: GroupVersionKind;
  readonly parameters: readonly Parameter[];
  readonly body?: { readonly type: Body; readonly required: boolean };
  readonly answers: readonly (readonly [code: number, type: Body])[];
  readonly consumes: readonly string[];
  readonly produces: readonly string[];
}

export interface Path {
  readonly path: string;
  readonly operations: readonly Operation[];
}

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
export const patchType = `${meta}.Patch`;
const json = "application/json";
const yaml = "application/yaml";
const protobuf = "application/vnd.kubernetes.protobuf";
const streams = [`${json};stream=watch`, `${protobuf};stream=watch`];
const patchTypes = ["application/json-patch+json", "application/merge-patch+json"];
const strategicMerge = "application/strategic-merge-patch+json";
const applyPatch = "application/apply-patch+yaml";

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "rbac.authorization" → "rbacAuthorization": letters after a gap are raised, gaps dropped. */
function toIdentifier(text: string): string {
  return text
    .replace(/^\.+/, "")
    .replace(/[^A-Za-z0-9_]+(.?)/g, (_, next: string) => next.toUpperCase());
}

function shortGroup(group: string): string {
  return group === "" ? "core" : group.replace(/\.k8s\.io$/, "");
}

export function tagOf(group: string, version: string): string {
  return `${toIdentifier(shortGroup(group))}_${version}`;
}

export function titleOf(group: string, version = ""): string {
  return upperFirst(toIdentifier(shortGroup(group))) + upperFirst(version);
}

export function rootOf(group: string, version: string): string {
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}

function typeOfKind({ group, version, kind }: GroupVersionKind): string {
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const found = typeOf(apiVersion, kind);
  if (found === undefined) throw new Error(`no type for ${apiVersion} ${kind}`);
  return found;
}

/** Writes operations on one resource: what all of them share stands in the fields. */
class Writer {
  readonly #resource: ResourceInfo;
  readonly #custom: boolean;
  readonly #title: string;
  readonly #own: GroupVersionKind;
  readonly #produces: readonly string[];
  readonly #consumes: readonly string[];

  constructor(resource: ResourceInfo, custom: boolean) {
    const { group, version, kind } = resource;
    this.#resource = resource;
    this.#custom = custom;
    this.#title = titleOf(group, version);
    this.#own = { group, version, kind };
    this.#produces = custom ? [json, yaml] : [json, yaml, protobuf];
    this.#consumes = custom ? [json, yaml] : ["*/*"];
  }

  #operation(
    verb: string,
    rest: string,
    parts: Pick<Operation, "method" | "parameters" | "answers"> & Partial<Operation>,
  ): Operation {
    return {
      id: verb + this.#title + rest,
      tag: tagOf(this.#own.group, this.#own.version),
      kind: this.#own,
      consumes: this.#consumes,
      produces: this.#produces,
      ...parts,
    };
  }

  list(rest: string): Operation {
    const streaming = this.#custom ? [] : streams;
    return this.#operation("list", rest, {
      method: "get",
      action: "list",
      parameters: [...listing, ...pretty],
      answers: [[200, this.#resource.listType!]],
      produces: [...this.#produces, ...streaming],
    });
  }

  watch(action: "watch" | "watchlist", rest: string): Operation {
    return this.#operation("watch", rest, {
      method: "get",
      action,
      parameters: [...listing, ...pretty],
      answers: [[200, `${meta}.WatchEvent`]],
      produces: [...this.#produces, ...streams],
    });
  }

  create(rest: string, type: string, kind: GroupVersionKind): Operation {
    return this.#operation("create", rest, {
      method: "post",
      action: "post",
      kind,
      parameters: [...writing, ...pretty],
      body: { type, required: true },
      answers: [200, 201, 202].map((code) => [code, type]),
    });
  }

  read(rest: string, type: string, kind: GroupVersionKind): Operation {
    return this.#operation("read", rest, {
      method: "get",
      action: "get",
      kind,
      parameters: this.#custom ? [...pretty, ...resourceVersion] : pretty,
      answers: [[200, type]],
    });
  }

  replace(rest: string, type: string, kind: GroupVersionKind): Operation {
    return this.#operation("replace", rest, {
      method: "put",
      action: "put",
      kind,
      parameters: [...writing, ...pretty],
      body: { type, required: true },
      answers: [200, 201].map((code) => [code, type]),
    });
  }

  patch(rest: string, type: string, kind: GroupVersionKind): Operation {
    const codes = this.#custom ? [200] : [200, 201];
    return this.#operation("patch", rest, {
      method: "patch",
      action: "patch",
      kind,
      parameters: [...patching, ...pretty],
      body: { type: patchType, required: true },
      answers: codes.map((code) => [code, type]),
      consumes: [...patchTypes, ...(this.#custom ? [] : [strategicMerge]), applyPatch],
    });
  }

  delete(rest: string): Operation {
    const answer = this.#resource.returnsDeleted ? this.#resource.type : `${meta}.Status`;
    return this.#operation("delete", rest, {
      method: "delete",
      action: "delete",
      parameters: [...deleting, ...pretty],
      body: { type: `${meta}.DeleteOptions`, required: false },
      answers: [200, 202].map((code) => [code, answer]),
    });
  }

  deleteCollection(rest: string): Operation {
    const operation = this.#operation("delete", rest, {
      method: "delete",
      id: `delete${this.#title}Collection${rest}`,
      action: "deletecollection",
      parameters: [...(this.#custom ? listing : deletingCollection), ...pretty],
      answers: [[200, `${meta}.Status`]],
    });
    if (this.#custom) return operation; // Upstream takes options there, and does not tell.
    return { ...operation, body: { type: `${meta}.DeleteOptions`, required: false } };
  }

  connect(method: Method, rest: string, kind: GroupVersionKind): Operation {
    return this.#operation("connect", rest, {
      method,
      id: `connect${this.#title}${upperFirst(method)}${rest}`,
      action: "connect",
      kind,
      parameters: optionParameters(typeOfKind(kind)),
      answers: [[200, "string"]],
      consumes: ["*/*"],
      produces: ["*/*"],
    });
  }

  log(rest: string): Operation {
    const options = optionParameters("io.k8s.api.core.v1.PodLogOptions");
    return this.#operation("read", rest, {
      method: "get",
      action: "get",
      parameters: [...options, ...pretty],
      answers: [[200, "string"]],
      produces: ["text/plain", ...this.#produces],
    });
  }
}

function connectPaths(writer: Writer, base: string, noun: string, sub: SubresourceInfo): Path[] {
  const passing = sub.verbs.includes("delete"); // A proxy passes on any method, and any path.
  const allowed: readonly Method[] = passing ? methods : ["get", "post"];
  const write = (rest: string) => allowed.map((method) => writer.connect(method, rest, sub.kind!));
  const paths: Path[] = [{ path: base, operations: write(noun) }];
  if (passing) {
    const withPath = write(`${noun}WithPath`).map((operation) => ({
      ...operation,
      parameters: [...operation.parameters, pathParameter("path")],
    }));
    paths.push({ path: `${base}/{path}`, operations: withPath });
  }
  return paths;
}

function subresourcePaths(
  writer: Writer,
  resource: ResourceInfo,
  custom: boolean,
  object: string,
  noun: string,
): Path[] {
  const own = { group: resource.group, version: resource.version, kind: resource.kind };
  return (resource.subresources ?? []).flatMap((sub): Path[] => {
    const path = `${object}/${sub.name}`;
    const rest = noun + upperFirst(sub.name);
    if (sub.connect) return connectPaths(writer, path, rest, sub);
    if (resource.plural === "pods" && sub.name === "log") {
      return [{ path, operations: [writer.log(rest)] }];
    }
    const type = sub.kind === undefined ? resource.type : typeOfKind(sub.kind);
    const kind = custom ? own : (sub.kind ?? own); // Upstream names the owner for custom scales.
    const operations: Operation[] = [];
    if (sub.verbs.includes("get")) operations.push(writer.read(rest, type, kind));
    if (sub.verbs.includes("update")) operations.push(writer.replace(rest, type, kind));
    if (sub.verbs.includes("create")) operations.push(writer.create(rest, type, kind));
    if (sub.verbs.includes("patch")) operations.push(writer.patch(rest, type, kind));
    return [{ path, operations }];
  });
}

function watchPaths(writer: Writer, resource: ResourceInfo, root: string, noun: string): Path[] {
  const { plural, namespaced, kind } = resource;
  const inside = namespaced ? `${root}/watch/namespaces/{namespace}` : `${root}/watch`;
  const paths: Path[] = [
    { path: `${inside}/${plural}`, operations: [writer.watch("watchlist", `${noun}List`)] },
    { path: `${inside}/${plural}/{name}`, operations: [writer.watch("watch", noun)] },
  ];
  if (namespaced) {
    const operation = writer.watch("watchlist", `${kind}ListForAllNamespaces`);
    paths.push({ path: `${root}/watch/${plural}`, operations: [operation] });
  }
  return paths;
}

/** All paths of one resource; `custom`: it comes from a CRD. */
export function resourcePaths(resource: ResourceInfo, custom: boolean): Path[] {
  const { group, version, kind, plural, namespaced, type } = resource;
  const writer = new Writer(resource, custom);
  const verbs = new Set(resource.verbs);
  const own = { group, version, kind };
  const root = rootOf(group, version);
  const noun = (namespaced ? "Namespaced" : "") + kind;
  const collection = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
  const object = `${collection}/{name}`;

  const onCollection: Operation[] = [];
  if (verbs.has("list")) onCollection.push(writer.list(noun));
  if (verbs.has("create")) onCollection.push(writer.create(noun, type, own));
  if (verbs.has("deletecollection")) onCollection.push(writer.deleteCollection(noun));
  const onObject: Operation[] = [];
  if (verbs.has("get")) onObject.push(writer.read(noun, type, own));
  if (verbs.has("update")) onObject.push(writer.replace(noun, type, own));
  if (verbs.has("delete")) onObject.push(writer.delete(noun));
  if (verbs.has("patch")) onObject.push(writer.patch(noun, type, own));

  const paths: Path[] = [
    { path: collection, operations: onCollection },
    { path: object, operations: onObject },
    ...subresourcePaths(writer, resource, custom, object, noun),
  ];
  if (namespaced && verbs.has("list")) {
    const everywhere = writer.list(`${kind}ForAllNamespaces`);
    paths.push({ path: `${root}/${plural}`, operations: [everywhere] });
  }
  if (verbs.has("watch") && !custom) paths.push(...watchPaths(writer, resource, root, noun));
  return paths.filter(({ operations }) => operations.length > 0);
}

/**
 * What does a URL ask for? Verb, resource, namespace and name, as authorization and routing see
 * them.
 *
 * Shapes  /api/v1/namespaces/NS/pods/NAME/SUB…   /apis/GROUP/VERSION/…   anything else is no
 *                                                resource
 * Errors  badURL is set when /watch or /proxy is not followed by a resource
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go
 */
export interface RequestInfo {
  isResourceRequest: boolean;
  path: string;
  /** Kubernetes' verb for resources, the lower-case HTTP method otherwise. */
  verb: string;
  apiPrefix: string;
  apiGroup: string;
  apiVersion: string;
  namespace: string;
  resource: string;
  subresource: string;
  name: string;
  parts: string[];
  badURL?: string;
}

const verbOfMethod: Readonly<Record<string, string>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
const namespaceSubresources = new Set(["status", "finalize"]);

export function parseRequestInfo(
  method: string,
  path: string,
  query: URLSearchParams,
): RequestInfo {
  const info: RequestInfo = {
    isResourceRequest: false,
    path,
    verb: method.toLowerCase(),
    apiPrefix: "",
    apiGroup: "",
    apiVersion: "",
    namespace: "",
    resource: "",
    subresource: "",
    name: "",
    parts: [],
  };
  let parts = splitPath(path);
  if (parts.length < 3 || (parts[0] !== "api" && parts[0] !== "apis")) return info;
  info.apiPrefix = parts[0]!;
  parts = parts.slice(1);
  if (info.apiPrefix === "apis") {
    if (parts.length < 3) return info;
    info.apiGroup = parts[0]!;
    parts = parts.slice(1);
  }
  info.isResourceRequest = true;
  info.apiVersion = parts[0]!;
  parts = parts.slice(1);
  if (parts[0] === "watch" || parts[0] === "proxy") {
    if (parts.length < 2) {
      info.badURL = `unable to determine kind and namespace from url, ${path}`;
      return info;
    }
    info.verb = parts[0];
    parts = parts.slice(1);
  } else {
    info.verb = verbOfMethod[method] ?? "";
  }
  if (parts[0] === "namespaces" && parts.length > 1) {
    info.namespace = parts[1]!;
    if (parts.length > 2 && !namespaceSubresources.has(parts[2]!)) parts = parts.slice(2);
  }
  info.parts = parts;
  if (parts.length >= 3 && info.verb !== "proxy") info.subresource = parts[2]!;
  info.name = parts[1] ?? "";
  info.resource = parts[0] ?? "";
  refineCollectionVerb(info, query);
  return info;
}

/** A GET without a name is a list or a watch; a DELETE without a name empties the collection. */
function refineCollectionVerb(info: RequestInfo, query: URLSearchParams): void {
  if (info.name !== "") return;
  if (info.verb === "delete") info.verb = "deletecollection";
  if (info.verb !== "get") return;
  info.verb = isTrueParameter(query.get("watch")) ? "watch" : "list";
  const single = /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(query.get("fieldSelector") ?? "");
  if (single !== null && isPathSegment(single[1]!)) info.name = single[1]!;
}

/** Query booleans: absent, "", "0" and "false" are false, as in upstream's parameter codec. */
export function isTrueParameter(value: string | null): boolean {
  if (value === null) return false;
  const lower = value.toLowerCase();
  return lower !== "false" && lower !== "0";
}

function isPathSegment(name: string): boolean {
  return name !== "." && name !== ".." && !/[/%]/.test(name);
}

function splitPath(path: string): string[] {
  const trimmed = path.replace(/^\/+|\/+$/g, "");
  if (trimmed === "") return [];
  if (!trimmed.includes("%")) return trimmed.split("/");
  // What goes on to somebody else keeps its slashes; elsewhere an encoded one is one.
  if (trimmed.includes("/proxy")) return trimmed.split("/").map(decoded);
  return decoded(trimmed).split("/");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return new TextDecoder().decode(bytesOf(text));
  }
}

/** What is not UTF-8 is decoded byte by byte. */
function bytesOf(text: string): Uint8Array {
  const plain = text.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

/** A pod's connection that becomes something else than HTTP. */
export function isPodStream({ resource, subresource }: RequestInfo): boolean {
  return resource === "pods" && podStreams.has(subresource);
}

const podStreams = new Set(["exec", "attach", "portforward"]);

/** What a request reaches, as /metrics says it. */
export function scopeOf({ isResourceRequest, name, namespace, verb }: RequestInfo): string {
  if (!isResourceRequest) return "";
  if (name !== "" || verb === "create") return "resource";
  return namespace !== "" ? "namespace" : "cluster";
}

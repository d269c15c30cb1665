/**
 * Paths that are no resources: health, version, discovery, OpenAPI, token keys, metrics.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/server/routes, pkg/endpoints/discovery
 */
import { kubernetesVersion, type ResourceInfo, typeInfo } from "@nanokube/api";
import { buildDiscovery, type Discovery, type ForeignVersion } from "./discovery/discovery.ts";
import { type HealthCheck, health } from "./health.ts";
import { HealthRecords } from "./health-records.ts";
import type { ApiRequest, ApiResponse } from "./rest/context.ts";
import { methodNotAllowed } from "./rest/method-not-allowed.ts";
import { encodeTree } from "./rest/respond.ts";
import { type MediaType, mediaTypes, negotiateOutput } from "./wire/negotiation.ts";
import { wantsPretty } from "./wire/pretty.ts";

const encoder = new TextEncoder();

export const metricsType = "text/plain; version=0.0.4; charset=utf-8; escaping=values";

export interface NonResourceOptions {
  /** What is served now; asked again after `changed`. */
  resources(): readonly ResourceInfo[];
  /** Grows whenever resources come or go. */
  /** Those of servers behind this one. */
  foreign(): readonly ForeignVersion[];
  /** Grows with every change of both. */
  generation(): number;
  serverAddress: string;
  checks: readonly HealthCheck[];
  /** More paths, tried after the built-in ones. */
  more: readonly ((request: ApiRequest) => Promise<ApiResponse | undefined>)[];
}

export function createNonResource(
  options: NonResourceOptions,
): (request: ApiRequest) => Promise<ApiResponse | undefined> {
  let discovery: Discovery | undefined;
  let builtAt = -1;
  const records = new HealthRecords();
  const current = (): Discovery => {
    if (discovery === undefined || builtAt !== options.generation()) {
      builtAt = options.generation();
      discovery = buildDiscovery({
        resources: options.resources(),
        foreign: options.foreign(),
        serverAddress: options.serverAddress,
      });
    }
    return discovery;
  };
  return async (request) => {
    const healthy = await health(request, options.checks, records);
    if (healthy !== undefined) return healthy;
    const path = request.path.length > 1 ? request.path.replace(/\/+$/, "") : request.path;
    if (path === "/metrics/slis")
      return textDocument(metricsType, `${records.lines().join("\n")}\n`);
    if (isReadOnly(path) && request.method !== "GET") throw methodNotAllowed();
    if (path === "/version") return document(request, version(), true);
    const found = discoveryDocument(request, path, current());
    if (found !== undefined) return found;
    for (const serve of options.more) {
      const answer = await serve(request);
      if (answer !== undefined) return answer;
    }
    if (path === "/") return document(request, { paths: rootPaths(options) });
    return undefined;
  };
}

/** The routes that upstream registers for GET alone; the others take any method. */
function isReadOnly(path: string): boolean {
  return /^\/(version|api|api\/[^/]+|apis\/[^/]+\/[^/]+)$/.test(path);
}

function version(): object {
  const [major = "1", minor = ""] = kubernetesVersion.replace(/^v/, "").split(".");
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: `${kubernetesVersion}+nanokube`,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "",
    compiler: "typescript",
    platform: "linux/amd64",
  };
}

function discoveryDocument(
  request: ApiRequest,
  path: string,
  discovery: Discovery,
): ApiResponse | undefined {
  const parts = path.split("/").slice(1);
  if (path === "/api" || path === "/apis") {
    if (wantsAggregated(request)) {
      const list = path === "/api" ? discovery.aggregatedCore() : discovery.aggregated();
      return aggregated(request, list);
    }
    return document(request, path === "/api" ? discovery.versions() : discovery.groupList());
  }
  if (parts[0] === "api" && parts.length === 2) {
    return optional(request, discovery.resourceList("", parts[1]!));
  }
  if (parts[0] === "apis" && parts.length === 2) {
    return optional(request, discovery.group(parts[1]!));
  }
  if (parts[0] === "apis" && parts.length === 3) {
    return optional(request, discovery.resourceList(parts[1]!, parts[2]!));
  }
  return undefined;
}

/** The whole of discovery in one answer, when the client's first choice is that. */
function wantsAggregated(request: ApiRequest): boolean {
  const first = (request.headers.accept ?? "").split(",")[0] ?? "";
  return (
    first.includes("g=apidiscovery.k8s.io") &&
    first.includes("v=v2") &&
    !first.includes("v=v2beta1") &&
    first.includes("as=APIGroupDiscoveryList")
  );
}

function aggregated(request: ApiRequest, list: object): ApiResponse {
  const media = mediaOf(request);
  const response = document(request, list);
  response.headers["content-type"] =
    `${mediaTypes[media.format]};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`;
  response.headers.vary = "Accept";
  return response;
}

function mediaOf(request: ApiRequest, onlyJSON = false): MediaType {
  // Parameters that only aggregated discovery knows must not make an answer unacceptable.
  const accept = (request.headers.accept ?? "")
    .split(",")
    .map((clause) =>
      clause.includes("g=apidiscovery.k8s.io")
        ? clause.replace(/;(g|v|as|profile)=[^;,]*/g, "")
        : clause,
    )
    .join(",");
  return negotiateOutput(accept, wantsPretty(request), {
    custom: false,
    convertible: false,
    onlyJSON,
  });
}

function optional(request: ApiRequest, found: object | undefined): ApiResponse | undefined {
  return found === undefined ? undefined : document(request, found);
}

export function document(request: ApiRequest, tree: object, onlyJSON = false): ApiResponse {
  const media = mediaOf(request, onlyJSON);
  return {
    status: 200,
    headers: { "content-type": mediaTypes[media.format] },
    body: encodeTree(tree, media, metaTypeOf(tree)),
  };
}

/** Discovery's kinds are those of meta/v1, whatever apiVersion they show. */
function metaTypeOf(tree: object): string | undefined {
  const { kind = "" } = tree as { kind?: string };
  const type = `io.k8s.apimachinery.pkg.apis.meta.v1.${kind}`;
  return kind !== "" && typeInfo(type) !== undefined ? type : undefined;
}

export function textDocument(contentType: string, text: string): ApiResponse {
  return { status: 200, headers: { "content-type": contentType }, body: encoder.encode(text) };
}

function rootPaths(options: NonResourceOptions): string[] {
  const paths = new Set([
    "/.well-known/openid-configuration",
    "/api",
    "/api/v1",
    "/apis",
    "/apis/",
  ]);
  for (const { group, version: name } of options.resources()) {
    if (group === "") continue;
    paths.add(`/apis/${group}`);
    paths.add(`/apis/${group}/${name}`);
  }
  for (const root of ["/healthz", "/livez", "/readyz"]) {
    paths.add(root);
    for (const check of options.checks) {
      if (root === "/readyz" || !check.readyOnly) paths.add(`${root}/${check.name}`);
    }
  }
  for (const path of [
    "/metrics",
    "/metrics/slis",
    "/openapi/v2",
    "/openapi/v3",
    "/openid/v1/jwks",
    "/version",
  ]) {
    paths.add(path);
  }
  paths.delete("/apis/");
  return [...paths].sort();
}

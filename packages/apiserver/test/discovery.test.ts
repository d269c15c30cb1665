/**
 * Discovery and OpenAPI against kube-apiserver's own, recorded by record-self-description.ts:
 * once as it starts, once with beta versions and custom resources.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { resources } from "@nanokube/api";
import { describe, expect, test } from "vitest";
import { buildDiscovery, type Discovery } from "../src/core/discovery/discovery.ts";
import { buildOpenAPI } from "../src/core/openapi/openapi.ts";
import { customResources } from "./custom-resource-definitions.ts";
import { differences, type JSONValue, normalForm } from "./normal-form.ts";
import type { Recording } from "./record-self-description.ts";

const file = join(import.meta.dirname, "../testdata/self-description.json.br");
const recorded = JSON.parse(brotliDecompressSync(readFileSync(file)).toString()) as {
  ga: Recording;
  whole: Recording;
};

/** What our server answers, in the bytes that it would send. */
function answer(discovery: Discovery, path: string): JSONValue | undefined {
  const [, , group, version] = path.split("/");
  const found = {
    "/api": () => discovery.versions(),
    "/api aggregated": () => discovery.aggregatedCore(),
    "/apis": () => discovery.groupList(),
    "/apis aggregated": () => discovery.aggregated(),
    "/api/v1": () => discovery.resourceList("", "v1"),
  }[path];
  if (found !== undefined) return found() as JSONValue;
  if (version === undefined) return discovery.group(group!) as JSONValue | undefined;
  return discovery.resourceList(group!, version) as JSONValue | undefined;
}

function serverAddress(recording: Recording): string {
  const { serverAddressByClientCIDRs: addresses } = recording["/api"] as unknown as {
    serverAddressByClientCIDRs: { serverAddress: string }[];
  };
  return addresses[0]!.serverAddress;
}

const paths = (recording: Recording) => Object.keys(recording).filter((p) => p.startsWith("/api"));

describe("discovery", () => {
  const ga = buildDiscovery({
    resources: resources.filter((r) => r.ga),
    serverAddress: serverAddress(recorded.ga),
  });
  test.each(paths(recorded.ga))("%s, byte for byte", (path) => {
    expect(JSON.stringify(answer(ga, path))).toBe(JSON.stringify(recorded.ga[path]));
  });

  const whole = buildDiscovery({
    resources,
    custom: customResources.map(({ resource }) => resource),
    serverAddress: serverAddress(recorded.whole),
  });
  test.each(paths(recorded.whole))("%s with beta and custom resources", (path) => {
    expect(JSON.stringify(answer(whole, path))).toBe(JSON.stringify(recorded.whole[path]));
  });

  test("a group that is not served is not described", () => {
    expect(ga.group("stable.example.com")).toBeUndefined();
    expect(ga.group("")).toBeUndefined();
    expect(ga.resourceList("apps", "v2")).toBeUndefined();
  });

  test("the version of another server stands where its APIService puts it", () => {
    const metrics = {
      ...customResources[2]!.resource,
      group: "metrics.k8s.io",
      version: "v1beta1",
    };
    const discovery = buildDiscovery({
      resources: resources.filter((r) => r.ga),
      custom: customResources.map(({ resource }) => resource),
      foreign: [
        {
          group: "metrics.k8s.io",
          version: "v1beta1",
          priority: { group: 100, version: 100 },
          resources: [metrics],
          stale: true,
        },
      ],
      serverAddress: "",
    });
    expect(discovery.groupList().groups!.at(-1)!.name).toBe("metrics.k8s.io");
    const versions = discovery.aggregated().items!.at(-1)!.versions!;
    expect(versions.map(({ freshness }) => freshness)).toEqual(["Stale"]);
  });
});

/** Options and watch events belong to every group, also to those that only Go knows any more. */
const everyGroup = /\.meta\.v1\.(DeleteOptions|WatchEvent)$/;

function withoutEveryGroup(document: JSONValue): JSONValue {
  return JSON.parse(JSON.stringify(document), function (this: object, key, value) {
    if (!everyGroup.test(key) || typeof value !== "object") return value;
    const { "x-kubernetes-group-version-kind": _, ...rest } = value;
    return rest;
  });
}

describe("OpenAPI", () => {
  const api = buildOpenAPI({ resources, custom: customResources });
  const documents = Object.keys(recorded.whole).filter((path) => path.startsWith("/openapi/v3/"));

  test("v2", () => {
    const ours = withoutEveryGroup(normalForm(api.v2() as JSONValue));
    // Upstream's shared parameters stand resolved where they are used.
    const { parameters, ...theirs } = withoutEveryGroup(recorded.whole["/openapi/v2"]!) as {
      [key: string]: JSONValue;
    };
    expect(differences(ours, theirs)).toEqual([]);
  });

  test("v3 has the same documents", () => {
    const names = documents.map((path) => path.slice("/openapi/v3/".length));
    expect([...api.names()].sort()).toEqual(names.sort());
    expect(api.v3("apis/apps/v2")).toBeUndefined();
  });

  test.each(documents)("%s", (path) => {
    const ours = normalForm(api.v3(path.slice("/openapi/v3/".length)) as JSONValue);
    const theirs = recorded.whole[path]!;
    // In documents of CRDs upstream names every group that its Go packages know.
    const isCustom = JSON.stringify(theirs).includes("Kubernetes CRD Swagger");
    const [a, b] = isCustom ? [ours, theirs].map(withoutEveryGroup) : [ours, theirs];
    expect(differences(a, b)).toEqual([]);
  });
});

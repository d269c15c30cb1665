import { createHash } from "node:crypto";
import { resources } from "@nanokube/api";
import { StatusError } from "@nanokube/machinery";
import { describe, expect, test } from "vitest";
import type { ApiResponse } from "../rest/context.ts";
import type { CustomResource } from "./custom-resources.ts";
import { createOpenAPIServer } from "./serve-openapi.ts";

const verbs = ["get", "list"];
const names = { kind: "Gadget", plural: "gadgets", singular: "gadget", namespaced: false };

function custom(group: string): CustomResource {
  const type = `${group}.v1.Gadget`;
  return { resource: { group, version: "v1", ...names, verbs, type, listType: `${type}List` } };
}

function start() {
  const served = { custom: [custom("a.io")], generation: 1, turns: 0 };
  const serve = createOpenAPIServer({
    resources: () => ({ resources: resources.filter((r) => r.ga), custom: served.custom }),
    generation: () => served.generation,
    sha512: (bytes) => createHash("sha512").update(bytes).digest("hex").toUpperCase(),
    yieldTurn: async () => {
      served.turns++;
    },
  });
  const get = (url: string, headers: Record<string, string> = {}) => {
    const { pathname: path, searchParams: query } = new URL(url, "http://server");
    const body = async () => new Uint8Array();
    const { signal } = new AbortController();
    return serve({ method: "GET", path, query, headers, body, signal });
  };
  return { served, get };
}

function parse(response: ApiResponse | undefined) {
  return JSON.parse(new TextDecoder().decode(response?.body as Uint8Array));
}

async function index(get: ReturnType<typeof start>["get"]): Promise<Record<string, string>> {
  const { paths } = parse(await get("/openapi/v3"));
  const entries = Object.entries<{ serverRelativeURL: string }>(paths);
  return Object.fromEntries(entries.map(([name, { serverRelativeURL: url }]) => [name, url]));
}

describe("OpenAPI over HTTP", () => {
  test("the URLs of the index name the documents' hashes, and may be kept for ever", async () => {
    const { get, served } = start();
    const urls = await index(get);
    expect(served.turns).toBe(Object.keys(urls).length);
    const response = await get(urls["apis/apps/v1"]!);
    expect(response?.status).toBe(200);
    expect(response?.headers["cache-control"]).toBe("public, immutable");
    expect(urls["apis/apps/v1"]).toContain(`?hash=${response?.headers.etag?.replaceAll('"', "")}`);
    expect(Object.keys(parse(response).paths)).toContain("/apis/apps/v1/deployments");
  });

  test("an outdated hash is sent on to the right one", async () => {
    const { get } = start();
    const urls = await index(get);
    const response = await get("/openapi/v3/api/v1?hash=00");
    expect(response?.status).toBe(301);
    expect(response?.headers.location).toBe(urls["api/v1"]);
  });

  test("who has the document already gets no body", async () => {
    const { get } = start();
    const first = await get("/openapi/v2");
    const again = await get("/openapi/v2", { "if-none-match": first!.headers.etag! });
    expect(again?.status).toBe(304);
    expect(again?.body).toHaveLength(0);
  });

  test.each([
    ["v2", "/openapi/v2"],
    ["v3", "/openapi/v3/version"],
  ])("protobuf of %s under either of its names", async (version, path) => {
    const { get } = start();
    const type = `application/com.github.proto-openapi.spec.${version}.v1.0+protobuf`;
    for (const accept of [type, type.replace(".v1.0", "@v1.0")]) {
      const response = await get(path, { accept });
      expect(response?.headers["content-type"]).toBe(type);
    }
  });

  test("a client that takes neither is refused", async () => {
    const { get } = start();
    const refused = get("/openapi/v2", { accept: "text/html" });
    await expect(refused).rejects.toThrow(StatusError);
    await expect(refused).rejects.toMatchObject({ code: 406 });
  });

  test("a new CRD changes its own document, and v2", async () => {
    const { get, served } = start();
    const before = await index(get);
    const v2 = (await get("/openapi/v2"))?.headers.etag;
    served.custom = [...served.custom, custom("b.io")];
    served.generation++;
    const after = await index(get);
    const { "apis/b.io/v1": added, ...others } = after;
    expect(added).toBeDefined();
    expect(others).toEqual(before);
    expect((await get("/openapi/v2"))?.headers.etag).not.toBe(v2);
  });

  test("what is not there is left to others", async () => {
    const { get } = start();
    expect(await get("/openapi/v3/apis/nope/v1")).toBeUndefined();
    expect(await get("/metrics")).toBeUndefined();
  });
});

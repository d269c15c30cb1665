/**
 * Records how upstream's kube-apiserver describes itself: discovery and OpenAPI, with and without
 * beta versions and custom resources, in the normal form (without prose), brotli-compressed.
 *
 *     node --conditions=nanokube-source packages/apiserver/test/record-self-description.ts
 *
 * Needs upstream's kube-apiserver and etcd (see upstream.ts); writes testdata/self-description.json.br.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { definitions } from "./custom-resource-definitions.ts";
import { type JSONValue, normalForm } from "./normal-form.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

export type Recording = { [path: string]: JSONValue };

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

interface Group {
  name: string;
  versions: { groupVersion: string }[];
}

async function get(upstream: Upstream, path: string, accept?: string): Promise<JSONValue> {
  const headers: Record<string, string> = accept === undefined ? {} : { accept };
  const { status, body } = await upstream.send("GET", path, undefined, headers);
  if (status !== 200) throw new Error(`GET ${path}: ${status}`);
  return body as JSONValue;
}

/** Discovery as it stands: the order of members and items counts there. */
async function discovery(upstream: Upstream): Promise<Recording> {
  const found: Recording = {};
  for (const path of ["/api", "/apis"]) {
    found[`${path} aggregated`] = await get(upstream, path, aggregated);
    found[path] = await get(upstream, path);
  }
  found["/api/v1"] = await get(upstream, "/api/v1");
  for (const { name, versions } of (found["/apis"] as unknown as { groups: Group[] }).groups) {
    for (const path of [name, ...versions.map((v) => v.groupVersion)]) {
      found[`/apis/${path}`] = await get(upstream, `/apis/${path}`);
    }
  }
  return found;
}

async function openAPI(upstream: Upstream): Promise<Recording> {
  const found: Recording = {};
  found["/openapi/v2"] = normalForm(await get(upstream, "/openapi/v2"));
  const index = (await get(upstream, "/openapi/v3")) as { paths: object };
  for (const name of Object.keys(index.paths)) {
    found[`/openapi/v3/${name}`] = normalForm(await get(upstream, `/openapi/v3/${name}`));
  }
  return found;
}

/** CRDs appear in discovery and in OpenAPI some time after they were created. */
async function createDefinitions(upstream: Upstream): Promise<void> {
  for (const definition of definitions) {
    const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const { status } = await upstream.send("POST", path, definition);
    if (status !== 201) throw new Error(`POST ${definition.metadata.name}: ${status}`);
  }
  for (const path of ["/apis", "/openapi/v2", "/openapi/v3/apis/acme.io/v1alpha1"]) {
    for (let i = 0; i < 100; i++) {
      const { status, body } = await upstream.send("GET", path);
      if (status === 200 && JSON.stringify(body).includes("acme.io")) break;
      await new Promise((resolve) => setTimeout(resolve, 200)); // There is no event to await.
    }
  }
}

async function record(): Promise<void> {
  const plain = await startUpstream();
  const ga = await discovery(plain).finally(() => plain.stop());
  const flags = ["--runtime-config=api/beta=true", "--feature-gates=AllBeta=true"];
  const whole = await startUpstream(flags);
  try {
    await createDefinitions(whole);
    const recording = { ga, whole: { ...(await discovery(whole)), ...(await openAPI(whole)) } };
    const target = join(import.meta.dirname, "../testdata/self-description.json.br");
    writeFileSync(target, brotliCompressSync(JSON.stringify(recording)));
  } finally {
    await whole.stop();
  }
}

if (import.meta.main) await record();

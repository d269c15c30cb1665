/**
 * The store changes hands: what one API server wrote, the other reads as it was, every kind, in
 * both storage media types and both directions.
 */
import { type ResourceInfo, resources } from "@nanokube/api";
import { describe, expect, test } from "vitest";
import { comparable } from "../src/corpus/comparable.ts";
import { kindOf } from "../src/corpus/life/kind.ts";
import { hasObject, keyOf } from "../src/corpus/objects/of-kind.ts";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";
import { findProgram, missing } from "../src/subjects/programs.ts";

const skip = findProgram("kube-apiserver") ? undefined : missing("kube-apiserver");
const namespace = "takeover";
const limitMs = 180_000;

/** Objects that the server itself writes to again as soon as it runs. */
const busy: ReadonlySet<string> = new Set([
  "apiservices",
  "customresourcedefinitions",
  "flowschemas",
  "prioritylevelconfigurations",
]);

/** Limits and quotas would judge the others. */
const judges: ReadonlySet<string> = new Set(["limitranges", "resourcequotas"]);

const kinds = resources.filter(
  (each) =>
    each.ga &&
    each.verbs.includes("delete") &&
    hasObject(each) &&
    !busy.has(each.plural) &&
    !judges.has(each.plural),
);

async function makeAll(server: ApiServerInstance): Promise<string[]> {
  const refused: string[] = [];
  const make = async (path: string, body: unknown, what: string): Promise<void> => {
    const answer = await server.send({ method: "POST", path, body });
    if (answer.status !== 201) refused.push(`${what}: ${answer.status} ${answer.text}`);
  };
  await make("/api/v1/namespaces", { metadata: { name: namespace } }, "the namespace");
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  await make(accounts, { metadata: { name: "default" } }, "its service account");
  for (const resource of kinds.filter(isFirst)) {
    const { all, object } = kindOf(resource, namespace);
    await make(all, object, keyOf(resource));
  }
  return refused;
}

/** Two versions of a kind are one object. */
const isFirst = (resource: ResourceInfo): boolean =>
  !["autoscaling/v1/horizontalpodautoscalers", "events.k8s.io/v1/events"].includes(keyOf(resource));

async function readAll(server: ApiServerInstance): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const resource of kinds) {
    const { one } = kindOf(resource, namespace);
    const answer = await server.send({ method: "GET", path: one });
    // Versions and ids as well: nothing may have been written anew.
    const body = JSON.parse(answer.text) as {
      metadata?: { uid?: string; resourceVersion?: string };
    };
    const { uid, resourceVersion } = body.metadata ?? {};
    found[keyOf(resource)] = { uid, resourceVersion, ...comparable(answer, one) };
  }
  return found;
}

/** Kinds that upstream completes as it reads them, which ours does only as it writes. */
const completedOnReading: Readonly<Record<string, string>> = {
  "v1/persistentvolumeclaims": "the phase",
  "apps/v1/statefulsets": "apiVersion, kind and the status of claim templates",
  "admissionregistration.k8s.io/v1/mutatingadmissionpolicies": "stored as v1beta1, shown as stored",
  "admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings":
    "stored as v1beta1, shown as stored",
};

const subjects = apiServerSubjects().map(({ name }) => name);
const turns = ["application/json", "application/vnd.kubernetes.protobuf"].flatMap((media) =>
  subjects.map((first) => [media, first] as const),
);

describe.skipIf(skip !== undefined)(`takeover${skip ? `: ${skip}` : ""}`, () => {
  test.for(turns)("%s written by %s", { timeout: limitMs }, async ([media, first]) => {
    const subject = apiServerSubjects().find(({ name }) => name === first)!;
    const server = await subject.open([`--storage-media-type=${media}`]);
    try {
      expect(await makeAll(server)).toEqual([]);
      const written = await readAll(server);
      await server.killServer();
      await server.startServer(first === "apiserver" ? "kube-apiserver" : "apiserver");
      const read = await readAll(server);
      for (const key of Object.keys(completedOnReading)) {
        expect(read[key], key).toMatchObject({ status: 200 });
        delete read[key];
        delete written[key];
      }
      expect(read).toEqual(written);
    } finally {
      await server.close();
    }
  });
});

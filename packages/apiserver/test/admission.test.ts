/** Every admission case gives what upstream's kube-apiserver gave (record/admission.ts). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ResourceInfo, resources, typeOf } from "@nanokube/api";
import {
  createFakeClock,
  createSeededRandom,
  decodeJSON,
  encodeJSON,
  type KubeObject,
  nullLog,
  StatusError,
} from "@nanokube/machinery";
import { describe, expect, it } from "vitest";
import { createAdmissionChain } from "../src/core/admission/create-admission-chain.ts";
import type { AdmissionAttributes } from "../src/core/admission/plugin.ts";
import type { ObjectReader } from "../src/core/object-reader.ts";
import { systemPriorityClasses } from "../src/resources/cluster.ts";
import { strategyFor } from "../src/resources/index.ts";
import { type AdmissionCase, admissionCases } from "./strategy-cases/admission.ts";
import { object, type Tree } from "./strategy-cases/case.ts";
import { comparable, type Step, withoutServerFields } from "./strategy-cases/recording.ts";

const path = join(import.meta.dirname, "testdata/admission.json");
const recording = JSON.parse(readFileSync(path, "utf8")) as Record<string, Step>;

const clock = createFakeClock();
const random = createSeededRandom(1);

function infoOf(tree: Tree): ResourceInfo {
  const [group = "", version] = String(tree.apiVersion).split("/");
  const [wanted, own] = version === undefined ? ["", group] : [group, version];
  const found = resources.find(
    (each) => each.group === wanted && each.version === own && each.kind === tree.kind,
  );
  if (found === undefined) throw new Error(`${tree.kind} is no kind`);
  return found;
}

function finished(tree: Tree): KubeObject {
  const info = infoOf(tree);
  const decoded = decodeJSON(JSON.stringify(tree), info.type).object;
  const namespace = info.namespaced ? { namespace: "x" } : {};
  decoded.metadata = { ...decoded.metadata, ...namespace, uid: random.uuid() };
  strategyFor(info.group, info.kind).default?.(decoded);
  return decoded;
}

function readerOf(trees: readonly Tree[]): ObjectReader {
  const all = trees.map((tree) => ({ info: infoOf(tree), object: finished(tree) }));
  const list = (group: string, plural: string, namespace = "") =>
    all
      .filter(({ info }) => info.group === group && info.plural === plural)
      .map((each) => each.object)
      .filter(({ metadata }) => namespace === "" || metadata?.namespace === namespace);
  return {
    list: async (group, plural, namespace) => list(group, plural, namespace),
    get: async (group, plural, namespace, name) =>
      list(group, plural, namespace).find(({ metadata }) => metadata?.name === name),
    generation: () => 0,
  };
}

async function run({ labels, given = [], object: asked }: AdmissionCase): Promise<Step> {
  const namespace = object("v1", "Namespace", { metadata: { name: "x", labels: labels ?? {} } });
  const account = object("v1", "ServiceAccount", { metadata: { name: "default" } });
  const classes = systemPriorityClasses.map((each) => ({
    ...object("scheduling.k8s.io/v1", "PriorityClass", {}),
    ...(each as unknown as Tree),
  }));
  const chain = createAdmissionChain({
    reader: readerOf([namespace, account, ...classes, ...given]),
    clock,
    random,
    log: nullLog,
    authorizer: { authorize: async () => ({ decision: "allow", reason: "" }) },
  });
  const create = async (tree: Tree): Promise<KubeObject> => {
    const info = infoOf(tree);
    const decoded = finished(tree);
    const attributes: AdmissionAttributes = {
      operation: "CREATE",
      resource: info,
      subresource: "",
      namespace: "x",
      name: decoded.metadata?.name ?? "",
      user: { name: "admin", groups: ["system:masters"] },
      dryRun: false,
      object: decoded,
      options: { kind: "CreateOptions" },
      warn: () => undefined,
    };
    await chain.admit(attributes);
    const context = { now: clock.now(), subresource: "", namespace: "x", user: "admin" };
    strategyFor(info.group, info.kind).prepareForCreate?.(decoded, context);
    await chain.validate(attributes);
    return decoded;
  };
  try {
    await create(namespace);
    const made = await create(asked);
    const type = typeOf(String(asked.apiVersion), String(asked.kind));
    const shown = withoutServerFields(JSON.parse(encodeJSON(type, made)) as Tree);
    const text = JSON.stringify(shown).replace(/kube-api-access-[a-z0-9]{5}/g, "kube-api-access-?");
    return { step: "create", code: 201, object: JSON.parse(text) };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { step: "create", code: error.status.code ?? 0, message: comparable(error.message) };
  }
}

describe("admission", () => {
  for (const each of admissionCases) {
    it(each.name, async () => {
      const answer = run(each);
      // A pod may wait for its namespace's account.
      for (let turn = 0; turn < 20; turn++) await clock.step(150);
      expect(await answer).toEqual(recording[each.name]);
    });
  }
});

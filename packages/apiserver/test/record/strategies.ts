/**
 * Records what upstream's kube-apiserver makes of every strategy case: the stored object or the
 * message, and the row of `kubectl get -o wide`.
 *
 * Needs upstream's kube-apiserver and etcd (see upstream.ts); writes testdata/strategies-*.json.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { casesByTopic } from "../strategy-cases/all.ts";
import { merge, type StrategyCase, type Tree } from "../strategy-cases/case.ts";
import {
  comparable,
  type Recorded,
  rowOf,
  type Step,
  withoutServerFields,
} from "../strategy-cases/recording.ts";
import { type Answer, startUpstream, type Upstream } from "../upstream.ts";

const table = "application/json;as=Table;v=v1;g=meta.k8s.io";

const uidPattern = /[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}/g;

interface Discovered {
  name: string;
  kind: string;
  namespaced: boolean;
}

async function collectionOf(upstream: Upstream, object: Tree): Promise<string> {
  const version = String(object.apiVersion);
  const root = version.includes("/") ? `/apis/${version}` : `/api/${version}`;
  const { body } = await upstream.send("GET", root);
  const found = (body.resources as Discovered[]).find(
    (resource) => resource.kind === object.kind && !resource.name.includes("/"),
  );
  if (found === undefined) throw new Error(`${version} ${object.kind} is not served`);
  return found.namespaced ? `${root}/namespaces/default/${found.name}` : `${root}/${found.name}`;
}

function stepOf(step: Step["step"], { status, body }: Answer): Step {
  if (status >= 400) {
    const message = String(body.message).replace(uidPattern, "UID");
    return { step, code: status, message: comparable(message) };
  }
  return { step, code: status, object: withoutServerFields(body) };
}

async function shown(upstream: Upstream, path: string): Promise<Tree> {
  const { body } = await upstream.send("GET", path, undefined, { accept: table });
  const columns = body.columnDefinitions as { name: string }[];
  const cells = (body.rows as { cells: unknown[] }[])[0]?.cells ?? [];
  return JSON.parse(JSON.stringify(rowOf(columns, cells)).replace(uidPattern, "UID"));
}

const deletion = {
  apiVersion: "v1",
  kind: "DeleteOptions",
  propagationPolicy: "Background",
  gracePeriodSeconds: 0,
};

async function record(upstream: Upstream, { object, update, status }: StrategyCase) {
  const collection = await collectionOf(upstream, object);
  const recorded: Recorded = { steps: [] };
  let answer = await upstream.send("POST", collection, object);
  recorded.steps.push(stepOf("create", answer));
  if (answer.status >= 400) return recorded;
  let current = answer.body;
  const name = String((current.metadata as Tree).name);
  const path = `${collection}/${name}`;
  for (const [step, patch] of [
    ["update", update],
    ["status", status],
  ] as const) {
    if (patch === undefined) continue;
    const target = step === "status" ? `${path}/status` : path;
    answer = await upstream.send("PUT", target, merge(current, patch));
    recorded.steps.push(stepOf(step, answer));
    if (answer.status < 400) current = answer.body;
  }
  recorded.row = await shown(upstream, path);
  await upstream.send("DELETE", path, deletion);
  const left = await upstream.send("GET", path);
  if (left.status === 200) {
    await upstream.send("PUT", path, merge(left.body, { metadata: { finalizers: null } }));
  }
  return recorded;
}

const plugins = [
  "ServiceAccount",
  "DefaultTolerationSeconds",
  "Priority",
  "TaintNodesByCondition",
  "StorageObjectInUseProtection",
  "DefaultStorageClass",
  "LimitRanger",
  "ResourceQuota",
  "RuntimeClass",
  "PodTopologyLabels",
];

export async function recordStrategies(): Promise<void> {
  const upstream = await startUpstream([
    `--disable-admission-plugins=${plugins.join(",")}`,
    "--allow-privileged=true",
  ]);
  try {
    for (const [topic, cases] of Object.entries(casesByTopic)) {
      const lines: string[] = [];
      for (const each of cases) {
        const recorded = await record(upstream, each);
        lines.push(`${JSON.stringify(each.name)}:${JSON.stringify(recorded)}`);
      }
      const path = join(import.meta.dirname, `../testdata/strategies-${topic}.json`);
      writeFileSync(path, `{\n${lines.join(",\n")}\n}\n`);
    }
  } finally {
    await upstream.stop();
  }
}

/**
 * Every strategy case gives what upstream's kube-apiserver gave (record/strategies.ts): the stored
 * object, the message of a refusal, and the row that kubectl shows.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { resources, typeOf } from "@nanokube/api";
import { decodeJSON, encodeJSON, invalid, type KubeObject } from "@nanokube/machinery";
import { describe, expect, it } from "vitest";
import type { StrategyContext } from "../src/core/strategy.ts";
import { strategyFor } from "../src/resources/index.ts";
import { casesByTopic } from "./strategy-cases/all.ts";
import { merge, type StrategyCase, type Tree } from "./strategy-cases/case.ts";
import {
  comparable,
  type Recorded,
  type Recording,
  rowOf,
  type Step,
  withoutServerFields,
  withoutUID,
} from "./strategy-cases/recording.ts";

function recordingOf(topic: string): Recording {
  const path = join(import.meta.dirname, `testdata/strategies-${topic}.json`);
  return JSON.parse(readFileSync(path, "utf8")) as Recording;
}

const isClusterWide = (kind: string): boolean =>
  resources.some((resource) => resource.kind === kind && !resource.namespaced);

const now = Date.parse("2026-01-01T00:00:00Z");

function refusal(
  step: Step["step"],
  object: KubeObject,
  errors: Parameters<typeof invalid>[2],
): Step {
  const group = object.apiVersion?.includes("/") ? (object.apiVersion.split("/")[0] ?? "") : "";
  const error = invalid({ group, kind: object.kind ?? "" }, object.metadata?.name ?? "", errors);
  const message = withoutUID(object as unknown as Tree, comparable(error.message));
  return { step, code: error.status.code ?? 0, message };
}

/** As the decoder of the server hands it on, and as the server shows it. */
const decoded = (type: string | undefined, tree: unknown): KubeObject =>
  decodeJSON(JSON.stringify(tree), type).object;

const stored = (type: string | undefined, object: KubeObject): unknown =>
  withoutServerFields(JSON.parse(encodeJSON(type, object)) as Tree);

function run({ object, update, status }: StrategyCase): Recorded {
  const [group = "", version] = String(object.apiVersion).split("/");
  const strategy = strategyFor(version === undefined ? "" : group, String(object.kind));
  const namespace = isClusterWide(String(object.kind)) ? "" : "default";
  const context = (subresource: string): StrategyContext => ({
    now,
    subresource,
    namespace,
    user: "admin",
  });
  const steps: Step[] = [];
  const type = typeOf(String(object.apiVersion), String(object.kind));
  let current = decoded(type, object);
  current.metadata ??= {};
  const { metadata } = current;
  strategy.default?.(current);
  metadata.uid = "11111111-2222-3333-4444-555555555555";
  metadata.resourceVersion = "1";
  metadata.creationTimestamp = "2025-12-31T00:00:00Z";
  if (namespace !== "") metadata.namespace = namespace;
  strategy.prepareForCreate?.(current, context(""));
  const errors = strategy.validate?.(current, context("")) ?? [];
  if (errors.length > 0) return { steps: [refusal("create", current, errors)] };
  steps.push({
    step: "create",
    code: 201,
    object: withoutServerFields(current as unknown as Tree),
  });
  for (const [step, patch] of [
    ["update", update],
    ["status", status],
  ] as const) {
    if (patch === undefined) continue;
    const subresource = step === "status" ? "status" : "";
    const next = decoded(type, merge(current, patch));
    strategy.default?.(next);
    strategy.prepareForUpdate?.(next, current, context(subresource));
    const wrong = strategy.validateUpdate?.(next, current, context(subresource)) ?? [];
    if (wrong.length > 0) {
      steps.push(refusal(step, next, wrong));
      continue;
    }
    steps.push({ step, code: 200, object: stored(type, next) });
    current = next;
  }
  const cells = strategy.row?.(current, now) ?? [];
  const row = JSON.stringify(rowOf(strategy.columns ?? [], cells));
  return { steps, row: JSON.parse(withoutUID(current as unknown as Tree, row)) };
}

describe.each(Object.entries(casesByTopic))("strategies of %s", (topic, cases) => {
  const recording = recordingOf(topic);
  for (const each of cases) {
    it(each.name, () => {
      expect(run(each)).toEqual(recording[each.name]);
    });
  }
});

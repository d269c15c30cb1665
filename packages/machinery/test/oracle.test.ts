/**
 * Ours beside upstream's libraries on random input: oracle/ (Go) makes the cases and upstream's answers.
 *
 * Building it takes Go and, from an empty module cache, minutes; so it runs when NANOKUBE_ORACLE is set.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  apply,
  applyJSONPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  canonicalize,
  type JSONPatchOperation,
  type KubeObject,
  parseFieldSelector,
  parseLabelSelector,
  parseQuantity,
  updateManagedFields,
} from "../src/index.ts";

const wanted = process.env.NANOKUBE_ORACLE !== undefined;

describe.skipIf(!wanted)("upstream's libraries agree (needs Go; set NANOKUBE_ORACLE)", () => {
  let directory = "";

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "machinery-oracle-"));
    const cwd = join(import.meta.dirname, "../oracle");
    execFileSync("go", ["build", "-o", join(directory, "oracle"), "."], { cwd, stdio: "pipe" });
  }, 900_000);

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function cases(mode: string, count: number): unknown[][] {
    const maxBuffer = 1 << 30;
    const out = execFileSync(join(directory, "oracle"), [mode, String(count)], { maxBuffer });
    const lines = out.toString().trimEnd().split("\n");
    expect(lines).toHaveLength(count);
    return lines.map((line) => JSON.parse(line) as unknown[]);
  }

  /** The result, or the message of what was thrown. */
  function outcome(run: () => unknown): { value?: unknown; error: string } {
    try {
      return { value: run(), error: "" };
    } catch (error) {
      return { error: (error as Error).message };
    }
  }

  test("quantities", () => {
    for (const [left, right, error, ...answers] of cases("quantity", 20_000)) {
      const a = parseQuantity(left as string);
      const got = outcome(() => {
        const b = parseQuantity(right as string);
        return [b.toString(), b.format, a.cmp(b), a.add(b).toString(), a.sub(b).toString()];
      });
      expect.soft(got, `${left} ${right}`).toEqual(error ? { error } : { value: answers, error });
    }
  });

  test("label selectors", () => {
    const sets = [{}, { app: "x" }, { app: "5", a: "7" }, { b: "x", a: "x", tier: "6" }];
    for (const [text, error, printed, matches] of cases("labels", 10_000)) {
      const got = outcome(() => {
        const selector = parseLabelSelector(text as string);
        const matched = sets.map((set) => selector.matches(set as Record<string, string>));
        return [selector.toString(), matched];
      });
      const want = error ? { error } : { value: [printed, matches], error };
      expect.soft(got, String(text)).toEqual(want);
    }
  });

  test("field selectors", () => {
    for (const [text, error, printed, matches] of cases("fields", 4_000)) {
      const got = outcome(() => {
        const selector = parseFieldSelector(text as string);
        const matched = [{}, { "metadata.name": "x" }].map((set) =>
          selector.matches(set as Record<string, string>),
        );
        return [selector.toString(), matched];
      });
      const want = error ? { error } : { value: [printed, matches], error };
      expect.soft(got, String(text)).toEqual(want);
    }
  });

  type Patcher = (document: object, patch: unknown) => unknown;
  const patchers: [string, Patcher][] = [
    ["strategic", (doc, p) => applyStrategicMergePatch(doc, p as object, "io.k8s.api.core.v1.Pod")],
    ["jsonpatch", (doc, p) => applyJSONPatch(doc, p as JSONPatchOperation[])],
    ["merge", (doc, p) => applyMergePatch(doc, p)],
  ];

  test.for(patchers)("patches: %s", ([mode, patcher]) => {
    for (const [document, patch, result, error] of cases(mode, 10_000)) {
      const got = outcome(() =>
        patcher(JSON.parse(document as string) as object, JSON.parse(patch as string)),
      );
      // With several faults in one patch, which is told first is left to Go's map order.
      const refused = error !== "" && got.error !== "";
      if (!refused) {
        const value = error === "" ? (JSON.parse(result as string) as unknown) : undefined;
        const want = error === "" ? { value, error } : { error };
        expect.soft(got, `${document}\n${patch}`).toEqual(want);
      } else if (mode === "jsonpatch") {
        expect.soft(got.error, `${document}\n${patch}`).toBe(error);
      }
    }
  });

  interface Step {
    op: "apply" | "update";
    manager: string;
    force: boolean;
    config: KubeObject;
    out?: KubeObject;
    err: string;
  }

  const typeName = "io.k8s.api.apps.v1.Deployment";

  function step(live: KubeObject | undefined, { op, manager, force, config }: Step): KubeObject {
    const base = { typeName, apiVersion: "apps/v1", live, manager, nowMs: Date.UTC(2026, 0, 1) };
    const written =
      op === "apply"
        ? apply({ ...base, applied: config, force }).object
        : updateManagedFields({ ...base, updated: canonicalize(typeName, config) });
    for (const entry of written.metadata?.managedFields ?? []) delete entry.time;
    return canonicalize(typeName, written);
  }

  /** Lines in no order: upstream lists conflicts by a map's. */
  const sorted = (message: string): string =>
    message
      .replace(/^Internal error occurred: /, "")
      .split("\n")
      .sort()
      .join("\n");

  test("ownership", () => {
    for (const steps of cases("apply", 300) as unknown as Step[][]) {
      let live: KubeObject | undefined;
      for (const one of steps) {
        const got = outcome(() => step(live, one));
        const context = `${JSON.stringify(live)}\n${JSON.stringify(one.config)}`;
        expect.soft(sorted(got.error), context).toBe(sorted(one.err));
        if (one.err === "") expect.soft(got.value, context).toEqual(one.out);
        live = one.out ?? live;
      }
    }
  });
});

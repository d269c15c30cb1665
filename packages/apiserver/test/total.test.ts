/** Whatever decodes as a kind, its strategy answers with errors of fields; it never breaks. */
import { resources } from "@nanokube/api";
import { decodeJSON, type KubeObject, StatusError } from "@nanokube/machinery";
import { describe, expect, it } from "vitest";
import type { ResourceStrategy, StrategyContext } from "../src/core/strategy.ts";
import { strategyFor } from "../src/resources/index.ts";
import { arbitrary, numbers } from "./arbitrary.ts";

const rounds = 150;
const now = Date.parse("2026-01-01T00:00:00Z");
const uid = "11111111-2222-3333-4444-555555555555";

const kinds = resources.filter((resource) => resource.verbs.includes("create"));

function attempt(strategy: ResourceStrategy, make: () => KubeObject, subresource: string): void {
  const context: StrategyContext = { now, subresource: "", namespace: "n", user: "u" };
  const old = make();
  strategy.default?.(old);
  strategy.prepareForCreate?.(old, context);
  strategy.validate?.(old, context);
  strategy.warnings?.(old);
  strategy.selectableFields?.(old);
  strategy.row?.(old, now);
  strategy.gracePeriodSeconds?.(old, undefined);
  const object = make();
  const update = { ...context, subresource };
  strategy.default?.(object);
  strategy.prepareForUpdate?.(object, old, update);
  strategy.validateUpdate?.(object, old, update);
  strategy.warnings?.(object, old);
  strategy.row?.(object, now);
}

describe("strategies answer whatever decodes", () => {
  for (const { group, version, kind, type, subresources = [] } of kinds) {
    it(`${group}/${version} ${kind}`, () => {
      const strategy = strategyFor(group, kind);
      const names = ["", "status", ...subresources.map((each) => each.name)];
      const broken = new Set<string>();
      for (let seed = 0; seed < rounds; seed++) {
        const next = numbers(seed);
        const make = (): KubeObject => {
          const { object } = decodeJSON(JSON.stringify(arbitrary(`ref ${type}`, next)), type);
          object.apiVersion = group === "" ? version : `${group}/${version}`;
          object.kind = kind;
          object.metadata = { ...object.metadata, name: "x", namespace: "n", uid };
          return object;
        };
        try {
          attempt(strategy, make, names[seed % names.length] ?? "");
        } catch (error) {
          if (error instanceof StatusError) continue;
          const { stack = "", message } = error as Error;
          const at = /resources\/\S+/.exec(stack)?.[0] ?? stack;
          broken.add(`${message} at ${at}`);
        }
      }
      expect([...broken]).toEqual([]);
    });
  }
});

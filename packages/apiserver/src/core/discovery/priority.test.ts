import { expect, test } from "vitest";
import { compareVersions, customResourcePriority, priorityOf } from "./priority.ts";

test("versions go from the most stable and greatest to the least, others come last", () => {
  const order = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2"];
  const whole = [...order, "foo1", "foo10", "v0"];
  expect([...whole].reverse().sort(compareVersions)).toEqual(whole);
});

test("built-in groups have numbers of their own, the aggregator's stands first", () => {
  expect(priorityOf("apps", "v1")).toEqual({ group: 17800, version: 15 });
  expect(priorityOf("autoscaling", "v2").version).toBeGreaterThan(
    priorityOf("autoscaling", "v1").version,
  );
  expect(priorityOf("apiregistration.k8s.io", "v1").group).toBeGreaterThan(
    priorityOf("", "v1").group,
  );
  expect(priorityOf("example.com", "v1")).toEqual(customResourcePriority);
});

/** What of a KubeSchedulerConfiguration is taken, and what is refused by name. */
import { expect, test } from "vitest";
import { defaultPlugins } from "./plugins/registry.ts";
import { parseSchedulerConfiguration } from "./scheduler-configuration.ts";

const file = (more: object) => ({
  apiVersion: "kubescheduler.config.k8s.io/v1",
  kind: "KubeSchedulerConfiguration",
  ...more,
});

test("nothing said is the default profile", () => {
  const { profiles } = parseSchedulerConfiguration(file({}));
  expect(profiles).toEqual([
    {
      schedulerName: "default-scheduler",
      plugins: defaultPlugins,
      percentageOfNodesToScore: 0,
      preempts: true,
    },
  ]);
});

test("plugins are switched off whole or at one point, weights changed, preemption taken away", () => {
  const plugins = {
    multiPoint: { disabled: [{ name: "ImageLocality" }] },
    score: {
      disabled: [{ name: "*" }],
      enabled: [{ name: "NodeResourcesFit", weight: 5 }],
    },
    postFilter: { disabled: [{ name: "DefaultPreemption" }] },
  };
  const profile = { schedulerName: "packer", percentageOfNodesToScore: 30, plugins };
  const [packer] = parseSchedulerConfiguration(file({ profiles: [profile] })).profiles;
  const scoring = packer!.plugins.filter((plugin) => plugin.score !== undefined);
  expect(scoring.map(({ name, weight }) => [name, weight])).toEqual([["NodeResourcesFit", 5]]);
  expect(packer!.plugins.some(({ name }) => name === "ImageLocality")).toBe(false);
  expect(packer!.plugins.some(({ name }) => name === "TaintToleration")).toBe(true);
  expect(packer).toMatchObject({ preempts: false, percentageOfNodesToScore: 30 });
});

test.for([
  [{ extenders: [{}] }, "extenders: Forbidden: not implemented by this scheduler"],
  [
    { profiles: [{ pluginConfig: [] }] },
    "profiles[0].pluginConfig: Forbidden: not implemented by this scheduler",
  ],
  [
    { profiles: [{ plugins: { score: { enabled: [{ name: "Mine" }] } } }] },
    'profiles[0].plugins.score: Invalid value: "Mine": plugin "Mine" does not exist',
  ],
  [{ percentageOfNodesToScore: 101 }, "percentageOfNodesToScore: Invalid value: 101: not in valid"],
  [{ profiles: [{}, {}] }, 'profiles[1].schedulerName: Duplicate value: "default-scheduler"'],
] as const)("%j is refused", ([more, message]) => {
  expect(() => parseSchedulerConfiguration(file(more))).toThrow(message);
});

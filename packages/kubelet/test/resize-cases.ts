/** Other resources for a pod that runs: granted, put off, or with a restart. */
import type { Pod } from "@nanokube/api/core/v1";
import type { Bench } from "./bench.ts";
import { ready } from "./bench.ts";
import type { Case } from "./case.ts";

const container = (more: object) => ({
  name: "main",
  image: "busybox:latest",
  imagePullPolicy: "IfNotPresent",
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  command: ["sleep", "1000"],
  ...more,
});
const resources = (cpu: string, memory: string) => ({
  requests: { cpu, memory },
  limits: { cpu, memory },
});

async function resize(bench: Bench, name: string, cpu: string, memory: string): Promise<void> {
  const pod = await bench.pod(name);
  const containers = (pod.spec?.containers ?? []).map((c) => ({
    ...c,
    resources: resources(cpu, memory),
  }));
  const generation = (pod.metadata?.generation ?? 1) + 1;
  await bench.api.call("PATCH", bench.path(name), {
    metadata: { generation },
    spec: { containers },
  });
}

const statusOf = (pod: Pod) => pod.status?.containerStatuses?.[0];
const resizing = (pod: Pod) =>
  pod.status?.conditions?.filter((c) => c.type?.startsWith("PodResize")) ?? [];
const has = (cpu: string) => (pod: Pod) =>
  statusOf(pod)?.resources?.limits?.cpu === cpu && resizing(pod).length === 0 && ready(pod);
const reasons = async (bench: Bench, name: string) =>
  (await bench.events(name))
    .map((text) => text.split(":")[0]!)
    .filter((reason) => reason.startsWith("Resize"));

export const resizeCases: readonly Case[] = [
  {
    name: "a running container gets other resources without a restart",
    async play(bench) {
      await bench.create("grow", {
        containers: [container({ resources: resources("100m", "64Mi") })],
      });
      const before = await bench.podUntil("grow", ready, "Ready");
      await resize(bench, "grow", "200m", "96Mi");
      const after = await bench.podUntil("grow", has("200m"), "its new resources");
      await bench.delete("grow");
      return {
        before: statusOf(before)?.resources,
        after: statusOf(after)?.resources,
        allocated: statusOf(after)?.allocatedResources,
        restarts: statusOf(after)?.restartCount,
        same: statusOf(before)?.containerID === statusOf(after)?.containerID,
        events: await reasons(bench, "grow"),
      };
    },
    want: {
      before: resources("100m", "64Mi"),
      after: resources("200m", "96Mi"),
      allocated: { cpu: "200m", memory: "96Mi" },
      restarts: 0,
      same: true,
      events: ["ResizeStarted", "ResizeCompleted"],
    },
  },
  {
    name: "a container whose policy says so is started again for its new resources",
    async play(bench) {
      const resizePolicy = [
        { resourceName: "cpu", restartPolicy: "NotRequired" },
        { resourceName: "memory", restartPolicy: "RestartContainer" },
      ];
      await bench.create("again", {
        containers: [container({ resources: resources("100m", "64Mi"), resizePolicy })],
      });
      await bench.podUntil("again", ready, "Ready");
      await resize(bench, "again", "100m", "96Mi");
      const done = (pod: Pod) => statusOf(pod)?.restartCount === 1 && has("100m")(pod);
      const after = await bench.podUntil("again", done, "a restart");
      const events = await bench.events("again");
      await bench.delete("again");
      return {
        memory: statusOf(after)?.resources?.limits?.memory,
        killed: events.filter((text) => text.startsWith("Killing")),
      };
    },
    want: { memory: "96Mi", killed: ["Killing: Container main resize requires restart"] },
  },
  {
    name: "a wish for more than the node has waits, and goes when it is taken back",
    async play(bench) {
      await bench.create("greedy", {
        containers: [container({ resources: resources("100m", "64Mi") })],
      });
      await bench.podUntil("greedy", ready, "Ready");
      await resize(bench, "greedy", "1000", "64Mi");
      const put = (pod: Pod) => resizing(pod).some((c) => c.type === "PodResizePending");
      const waiting = await bench.podUntil("greedy", put, "PodResizePending");
      const { reason, message, observedGeneration } = resizing(waiting)[0]!;
      await resize(bench, "greedy", "100m", "64Mi");
      const after = await bench.podUntil("greedy", has("100m"), "peace");
      await bench.delete("greedy");
      return {
        reason,
        message: message?.replace(/used: \d+, capacity: \d+/, "…"),
        observedGeneration,
        kept: statusOf(waiting)?.resources?.limits?.cpu,
        allocated: statusOf(waiting)?.allocatedResources?.cpu,
        after: resizing(after),
      };
    },
    want: {
      reason: "Deferred",
      message: "Node didn't have enough resource: cpu, requested: 1000000, …",
      observedGeneration: 2,
      kept: "100m",
      allocated: "100m",
      after: [],
    },
  },
];

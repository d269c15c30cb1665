/** What the API shows for what the runtime has. */
import type { ContainerStatus, Pod, PodSpec, PodStatus } from "@nanokube/api/core/v1";
import { describe, expect, test } from "vitest";
import type { StartFailure } from "./container-statuses.ts";
import { podPhase } from "./pod-phase.ts";
import { podStatus } from "./pod-status.ts";
import type { PodRuntimeStatus, RuntimeContainer } from "./runtime-status.ts";

const running: ContainerStatus["state"] = { running: { startedAt: "2026-01-01T00:00:00Z" } };
const ended = (exitCode: number): ContainerStatus["state"] => ({ terminated: { exitCode } });
const waiting: ContainerStatus["state"] = { waiting: { reason: "x" } };
const status = (
  name: string,
  state: ContainerStatus["state"],
  more: object = {},
): ContainerStatus => ({
  name,
  image: "i",
  imageID: "",
  ready: false,
  restartCount: 0,
  state,
  ...more,
});
const podOf = (spec: Partial<PodSpec>, rest: object = {}): Pod => ({
  metadata: { name: "p", namespace: "default", uid: "u", generation: 3 },
  spec: {
    containers: [
      { name: "a", image: "i" },
      { name: "b", image: "i" },
    ],
    ...spec,
  },
  ...rest,
});

describe("phase", () => {
  const always = podOf({ restartPolicy: "Always" });
  const onFailure = podOf({ restartPolicy: "OnFailure" });
  const never = podOf({ restartPolicy: "Never" });
  const init = { initContainers: [{ name: "i", image: "i" }] };
  const side = { initContainers: [{ name: "s", image: "i", restartPolicy: "Always" }] };
  const two = (a: ContainerStatus["state"], b: ContainerStatus["state"]) => [
    status("a", a),
    status("b", b),
  ];
  const last = { lastState: ended(1) };
  const cases: [string, Pod, ContainerStatus[], string][] = [
    ["nothing known", always, [], "Pending"],
    ["all run", always, two(running, running), "Running"],
    ["one waits for its first start", always, two(running, waiting), "Pending"],
    [
      "one waits for its next start",
      always,
      [status("a", running), status("b", waiting, last)],
      "Running",
    ],
    ["one unknown", always, [status("a", running)], "Pending"],
    ["Always: ended ones will run again", always, two(ended(0), ended(1)), "Running"],
    ["OnFailure: all well", onFailure, two(ended(0), ended(0)), "Succeeded"],
    ["OnFailure: one failed runs again", onFailure, two(ended(0), ended(1)), "Running"],
    ["Never: all well", never, two(ended(0), ended(0)), "Succeeded"],
    ["Never: one failed", never, two(ended(0), ended(1)), "Failed"],
    ["Never: one still runs", never, two(running, ended(1)), "Running"],
    [
      "init runs",
      podOf({ ...init, restartPolicy: "Always" }),
      [status("i", running), ...two(waiting, waiting)],
      "Pending",
    ],
    [
      "init failed, runs again",
      podOf({ ...init, restartPolicy: "Always" }),
      [status("i", ended(1)), ...two(waiting, waiting)],
      "Pending",
    ],
    [
      "init failed for good",
      podOf({ ...init, restartPolicy: "Never" }),
      [status("i", ended(1)), ...two(waiting, waiting)],
      "Failed",
    ],
    [
      "a sidecar that has not started holds the pod",
      podOf({ ...side, restartPolicy: "Always" }),
      [status("s", running), ...two(running, running)],
      "Pending",
    ],
    [
      "one that has does not",
      podOf({ ...side, restartPolicy: "Always" }),
      [status("s", running, { started: true }), ...two(running, running)],
      "Running",
    ],
  ];
  test.for(cases)("%s", ([, pod, statuses, want]) => {
    expect(podPhase({ pod, statuses, terminal: false, initialized: false })).toBe(want);
  });

  test("a pod that will not run any more has ended, whatever its policy", () => {
    const statuses = two(ended(0), ended(1));
    expect(podPhase({ pod: always, statuses, terminal: true, initialized: true })).toBe("Failed");
  });
});

const run = (name: string, more: Partial<RuntimeContainer>): RuntimeContainer => ({
  id: `${name}1`,
  name,
  sandboxID: "s",
  state: "running",
  image: "i",
  imageRef: "sha256:1",
  hash: "",
  restartCount: 0,
  createdAtMs: 1000,
  startedAtMs: 2000,
  finishedAtMs: 0,
  exitCode: 0,
  reason: "",
  message: "",
  logPath: "",
  ...more,
});

function show(
  pod: Pod,
  containers: RuntimeContainer[],
  more: { before?: PodStatus; failures?: Record<string, StartFailure>; ready?: boolean } = {},
): PodStatus {
  const runtime: PodRuntimeStatus = {
    uid: "u",
    name: "p",
    namespace: "default",
    sandboxes: [
      { id: "s", attempt: 0, ready: true, createdAtMs: 1, ips: ["10.0.0.9"], hostNetwork: false },
    ],
    containers,
  };
  return podStatus({
    pod,
    before: more.before,
    runtime,
    runtimeName: "containerd",
    probes: { started: () => true, ready: () => more.ready ?? true },
    failure: (name) => more.failures?.[name],
    terminal: false,
    hostIPs: ["192.0.2.1"],
    startTime: "2026-01-01T00:00:00Z",
    now: "2026-01-01T00:00:05Z",
  });
}

const conditionsOf = (shown: PodStatus) =>
  Object.fromEntries(
    (shown.conditions ?? []).map((c) => [c.type, [c.status, c.reason, c.message].filter(Boolean)]),
  );

describe("status", () => {
  const pod = podOf({ restartPolicy: "Always", containers: [{ name: "a", image: "i" }] });

  test("before anything runs", () => {
    const shown = show(pod, []);
    expect(shown.containerStatuses?.[0]).toMatchObject({
      state: { waiting: { reason: "ContainerCreating" } },
      ready: false,
      started: false,
      restartCount: 0,
    });
    expect(conditionsOf(shown)).toEqual({
      PodReadyToStartContainers: ["True"],
      Initialized: ["True"],
      Ready: ["False", "ContainersNotReady", "containers with unready status: [a]"],
      ContainersReady: ["False", "ContainersNotReady", "containers with unready status: [a]"],
      PodScheduled: ["True"],
    });
  });

  test("running and ready, with addresses, generation and ids", () => {
    expect(show(pod, [run("a", {})])).toMatchObject({
      phase: "Running",
      observedGeneration: 3,
      podIP: "10.0.0.9",
      podIPs: [{ ip: "10.0.0.9" }],
      hostIP: "192.0.2.1",
      qosClass: "BestEffort",
      containerStatuses: [
        {
          containerID: "containerd://a1",
          state: { running: { startedAt: "1970-01-01T00:00:02Z" } },
          ready: true,
        },
      ],
    });
  });

  test("waiting for a restart shows the failure, and how it ended before", () => {
    const exited = run("a", {
      state: "exited",
      exitCode: 3,
      reason: "Error",
      finishedAtMs: 3000,
      restartCount: 4,
    });
    const failures = { a: { reason: "CrashLoopBackOff", message: "back-off 10s" } };
    expect(show(pod, [exited], { failures }).containerStatuses?.[0]).toMatchObject({
      restartCount: 4,
      state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
      lastState: {
        terminated: { exitCode: 3, reason: "Error", finishedAt: "1970-01-01T00:00:03Z" },
      },
    });
  });

  test("a container that ran and is forgotten by the runtime has ended", () => {
    const before: PodStatus = {
      phase: "Running",
      containerStatuses: [status("a", running, { containerID: "x" })],
    };
    expect(show(pod, [], { before }).containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { reason: "ContainerStatusUnknown", exitCode: 137 } },
    });
  });

  test("a condition keeps its time until it changes", () => {
    const first = show(pod, [run("a", {})]);
    const early = {
      ...first,
      conditions: first.conditions?.map((c) => ({
        ...c,
        lastTransitionTime: "2025-01-01T00:00:00Z",
      })),
    };
    const same = show(pod, [run("a", {})], { before: early });
    const other = show(pod, [run("a", {})], { before: early, ready: false });
    const timeOf = (s: PodStatus) =>
      s.conditions?.find((c) => c.type === "Ready")?.lastTransitionTime;
    expect([timeOf(same), timeOf(other)]).toEqual(["2025-01-01T00:00:00Z", "2026-01-01T00:00:05Z"]);
  });

  test("readiness gates and others' conditions", () => {
    const conditions = [{ type: "example.com/lb", status: "False" }];
    const gated = podOf(
      {
        containers: [{ name: "a", image: "i" }],
        readinessGates: [{ conditionType: "example.com/lb" }],
      },
      { status: { conditions } },
    );
    const shown = conditionsOf(show(gated, [run("a", {})]));
    expect(shown["example.com/lb"]).toEqual(["False"]);
    expect(shown.Ready).toEqual([
      "False",
      "ReadinessGatesNotReady",
      'the status of pod readiness gate "example.com/lb" is not "True", but False',
    ]);
  });

  test("an ended pod stays as it ended", () => {
    const over = podOf(
      { restartPolicy: "Always" },
      { status: { phase: "Failed", reason: "Evicted", message: "why" } },
    );
    expect(show(over, [run("a", {}), run("b", {})])).toMatchObject({
      phase: "Failed",
      reason: "Evicted",
      message: "why",
    });
  });
});

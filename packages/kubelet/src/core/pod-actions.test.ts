/** Pod and runtime status in, actions out. The cases are upstream's TestComputePodActions and more. */
import type { Container, Pod, PodSpec } from "@nanokube/api/core/v1";
import { describe, expect, test } from "vitest";
import { containerHash } from "./container-hash.ts";
import { computePodActions, type PodActions, type ProbeVerdict } from "./pod-actions.ts";
import type { ContainerState, PodRuntimeStatus, RuntimeContainer } from "./runtime-status.ts";

const containers: Container[] = ["a", "b"].map((name) => ({ name, image: "busybox" }));
const podOf = (spec: Partial<PodSpec>, metadata: object = {}): Pod => ({
  metadata: { name: "p", namespace: "default", uid: "u", ...metadata },
  spec: { restartPolicy: "Always", containers, ...spec },
});

let serial = 0;
function run(
  name: string,
  state: ContainerState,
  more: Partial<RuntimeContainer> = {},
): RuntimeContainer {
  serial += 1;
  return {
    id: `${name}-${state}`,
    name,
    sandboxID: "s",
    state,
    image: "busybox",
    imageRef: "sha256:1",
    hash: containerHash({ name, image: "busybox" }),
    restartCount: 0,
    createdAtMs: serial,
    startedAtMs: serial,
    finishedAtMs: state === "exited" ? serial : 0,
    exitCode: 0,
    reason: "",
    message: "",
    logPath: "",
    ...more,
  };
}

const sandbox = {
  id: "s",
  attempt: 0,
  ready: true,
  createdAtMs: 1,
  ips: ["10.0.0.1"],
  hostNetwork: false,
};
const statusOf = (runs: RuntimeContainer[], box: object = {}): PodRuntimeStatus => ({
  uid: "u",
  name: "p",
  namespace: "default",
  sandboxes: [{ ...sandbox, ...box }],
  containers: runs,
});
const nothing: PodRuntimeStatus = { ...statusOf([]), sandboxes: [] };

interface Probes {
  liveness?: Record<string, ProbeVerdict>;
  startup?: Record<string, ProbeVerdict>;
}

/** The actions in few words: what is killed, made and started. */
function summary(pod: Pod, status: PodRuntimeStatus, probes: Probes = {}) {
  const actions: PodActions = computePodActions(pod, status, {
    liveness: (id) => probes.liveness?.[id],
    startup: (id) => probes.startup?.[id],
  });
  const said: Record<string, unknown> = {};
  if (actions.killPod) said.killPod = true;
  if (actions.createSandbox) said.sandbox = actions.attempt;
  if (actions.initToStart.length > 0) said.init = actions.initToStart;
  if (actions.containersToStart.length > 0) said.start = actions.containersToStart;
  if (actions.ephemeralToStart.length > 0) said.ephemeral = actions.ephemeralToStart;
  if (actions.containersToKill.length > 0)
    said.kill = actions.containersToKill.map((k) => k.message);
  return said;
}

const both = (state: ContainerState, more: Partial<RuntimeContainer> = {}) => [
  run("a", state, more),
  run("b", state, more),
];
const failed = { exitCode: 1 };
const inits: Container[] = ["i", "j"].map((name) => ({ name, image: "busybox" }));
const sidecar: Container = { name: "side", image: "busybox", restartPolicy: "Always" };
const probe = { exec: { command: ["true"] } };

describe("main containers", () => {
  const cases: [string, Pod, PodRuntimeStatus, Probes, object][] = [
    [
      "a new pod gets everything",
      podOf({}),
      nothing,
      {},
      { killPod: true, sandbox: 0, start: [0, 1] },
    ],
    ["a running one is left alone", podOf({}), statusOf(both("running")), {}, {}],
    ["what is missing is started", podOf({}), statusOf([run("a", "running")]), {}, { start: [1] }],
    [
      "Always starts what ended well",
      podOf({}),
      statusOf([run("a", "exited"), run("b", "running")]),
      {},
      { start: [0] },
    ],
    [
      "OnFailure starts what failed only",
      podOf({ restartPolicy: "OnFailure" }),
      statusOf([run("a", "exited"), run("b", "exited", failed)]),
      {},
      { start: [1] },
    ],
    [
      "Never starts nothing again",
      podOf({ restartPolicy: "Never" }),
      statusOf(both("exited", failed)),
      {},
      { killPod: true },
    ],
    [
      "OnFailure with all done ends the pod",
      podOf({ restartPolicy: "OnFailure" }),
      statusOf(both("exited")),
      {},
      { killPod: true },
    ],
    [
      "a created container is started",
      podOf({ restartPolicy: "Never" }),
      statusOf([run("a", "created"), run("b", "running")]),
      {},
      { start: [0] },
    ],
    [
      "an unknown one is killed first",
      podOf({}),
      statusOf([run("a", "unknown"), run("b", "running")]),
      {},
      { start: [0], kill: [`Container is in "unknown" state, try killing it before restart`] },
    ],
    [
      "a changed definition restarts, whatever the policy",
      podOf({ restartPolicy: "Never" }),
      statusOf([run("a", "running", { hash: "other" }), run("b", "running")]),
      {},
      { start: [0], kill: ["Container a definition changed, will be restarted"] },
    ],
    [
      "a dead liveness probe restarts",
      podOf({}),
      statusOf(both("running")),
      { liveness: { "a-running": "failure" } },
      { start: [0], kill: ["Container a failed liveness probe, will be restarted"] },
    ],
    [
      "… but with Never only kills",
      podOf({ restartPolicy: "Never" }),
      statusOf(both("running")),
      { liveness: { "a-running": "failure" } },
      { kill: ["Container a failed liveness probe"] },
    ],
    [
      "a failed startup probe restarts",
      podOf({}),
      statusOf(both("running")),
      { startup: { "b-running": "failure" } },
      { start: [1], kill: ["Container b failed startup probe, will be restarted"] },
    ],
    [
      "a deleted pod starts nothing",
      podOf({}, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
      statusOf([run("a", "exited"), run("b", "running")]),
      {},
      {},
    ],
    [
      "a container's own policy wins",
      podOf({
        restartPolicy: "Never",
        containers: [{ ...containers[0]!, restartPolicy: "OnFailure" }, containers[1]!],
      }),
      statusOf([run("a", "exited", failed), run("b", "running")]),
      {},
      { start: [0] },
    ],
    [
      "and its rules before that",
      podOf({
        restartPolicy: "Never",
        containers: [
          {
            ...containers[0]!,
            restartPolicy: "Never",
            restartPolicyRules: [
              { action: "Restart", exitCodes: { operator: "In", values: [42] } },
            ],
          },
          containers[1]!,
        ],
      }),
      statusOf([run("a", "exited", { exitCode: 42 }), run("b", "running")]),
      {},
      { start: [0] },
    ],
  ];
  test.for(cases)("%s", ([, pod, status, probes, want]) => {
    expect(summary(pod, status, probes)).toEqual(want);
  });
});

describe("the sandbox", () => {
  const never = podOf({ restartPolicy: "Never" });
  const cases: [string, Pod, PodRuntimeStatus, object][] = [
    [
      "a dead one is replaced",
      podOf({}),
      statusOf(both("exited"), { ready: false }),
      { killPod: true, sandbox: 1, start: [0, 1] },
    ],
    [
      "not for a pod that has ended",
      never,
      statusOf(both("exited"), { ready: false }),
      { killPod: true },
    ],
    [
      "but again when nothing ever ran",
      never,
      statusOf([], { ready: false }),
      { killPod: true, sandbox: 1, start: [0, 1] },
    ],
    [
      "OnFailure leaves out what succeeded",
      podOf({ restartPolicy: "OnFailure" }),
      statusOf([run("a", "exited"), run("b", "exited", failed)], { ready: false }),
      { killPod: true, sandbox: 1, start: [1] },
    ],
    [
      "OnFailure with all succeeded needs none",
      podOf({ restartPolicy: "OnFailure" }),
      statusOf(both("exited"), { ready: false }),
      { killPod: true },
    ],
    [
      "one without an address is replaced",
      podOf({}),
      statusOf([], { ips: [] }),
      { killPod: true, sandbox: 1, start: [0, 1] },
    ],
    [
      "one on the wrong network too",
      podOf({ hostNetwork: true }),
      statusOf([]),
      { killPod: true, sandbox: 1, start: [0, 1] },
    ],
    [
      "with init containers it starts from the first",
      podOf({ initContainers: inits }),
      nothing,
      { killPod: true, sandbox: 0, init: [0] },
    ],
  ];
  test.for(cases)("%s", ([, pod, status, want]) => {
    expect(summary(pod, status)).toEqual(want);
  });
});

describe("init containers", () => {
  const pod = podOf({ initContainers: inits });
  const cases: [string, Pod, PodRuntimeStatus, Probes, object][] = [
    ["the first one first", pod, statusOf([]), {}, { init: [0] }],
    ["while it runs nothing else", pod, statusOf([run("i", "running")]), {}, {}],
    ["then the next", pod, statusOf([run("i", "exited")]), {}, { init: [1] }],
    [
      "then the main ones",
      pod,
      statusOf([run("j", "exited"), run("i", "exited")]),
      {},
      { start: [0, 1] },
    ],
    [
      "the last one's end is enough to know",
      pod,
      statusOf([run("j", "exited")]),
      {},
      { start: [0, 1] },
    ],
    ["a failed one again", pod, statusOf([run("i", "exited", failed)]), {}, { init: [0] }],
    [
      "with Never it is the end",
      podOf({ initContainers: inits, restartPolicy: "Never" }),
      statusOf([run("i", "exited", failed)]),
      {},
      { killPod: true },
    ],
    ["main containers that run prove initialization", pod, statusOf(both("running")), {}, {}],
    [
      "a sidecar counts as done when it runs",
      podOf({ initContainers: [sidecar, inits[0]!] }),
      statusOf([run("side", "running")]),
      {},
      { init: [1] },
    ],
    [
      "or when its startup probe says so",
      podOf({ initContainers: [{ ...sidecar, startupProbe: probe }, inits[0]!] }),
      statusOf([run("side", "running")]),
      {},
      {},
    ],
    [
      "a startup probe that failed starts it again",
      podOf({ initContainers: [{ ...sidecar, startupProbe: probe }, inits[0]!] }),
      statusOf([run("side", "running")]),
      { startup: { "side-running": "failure" } },
      { init: [0], kill: ["Init container side failed startup probe"] },
    ],
    [
      "a sidecar that ended is started beside running containers",
      podOf({ initContainers: [sidecar] }),
      statusOf([run("side", "exited"), ...both("running")]),
      {},
      { init: [0] },
    ],
    [
      "but keeps no finished pod alive",
      podOf({ initContainers: [sidecar], restartPolicy: "Never" }),
      statusOf([run("side", "running"), ...both("exited")]),
      {},
      { killPod: true },
    ],
  ];
  test.for(cases)("%s", ([, given, status, probes, want]) => {
    expect(summary(given, status, probes)).toEqual(want);
  });
});

test("ephemeral containers start once, also before initialization", () => {
  const ephemeralContainers = [{ name: "debug", image: "busybox" }];
  const pod = podOf({ initContainers: inits, ephemeralContainers });
  expect(summary(pod, statusOf([run("i", "running")]))).toEqual({ ephemeral: [0] });
  expect(summary(pod, statusOf([run("debug", "exited", failed), run("i", "running")]))).toEqual({});
});

test("the hash is upstream's, so that either kubelet can take over", () => {
  expect(containerHash({ name: "a", image: "busybox" })).toBe("5264866e");
  const image = "registry.k8s.io/e2e-test-images/nginx:1.15-4";
  expect(containerHash({ name: "web", image })).toBe("1ebcaf25");
});

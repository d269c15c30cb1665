/** Small pure parts: expansion, environment, resources, names, logs, resolver, back-off, probes. */
import type { Container, Pod } from "@nanokube/api/core/v1";
import { describe, expect, test } from "vitest";
import { BackOff } from "./back-off.ts";
import { LogSelector, timestampNanos } from "./cri-log.ts";
import { hostsFile, kernelHostname, parseResolvConf, podDNS } from "./dns-config.ts";
import { formatMap, resolveResource } from "./downward-api.ts";
import { makeEnvironment } from "./environment.ts";
import { expand } from "./expansion.ts";
import { credentialsFor, repositoryOf, withDefaultTag } from "./image-name.ts";
import { parseKubeletConfiguration, parseLabels, parseTaints } from "./kubelet-configuration.ts";
import { admitPod } from "./node-admission.ts";
import { enterProbeResult, newProbeState, nextProbeStep } from "./probe-state.ts";
import { oomScoreAdj, qosClass } from "./qos.ts";
import { containerResources, podRequest } from "./resources.ts";
import { containerSecurityContext, verifyRunAsNonRoot } from "./security-context.ts";
import { serviceEnvironment } from "./service-env.ts";
import { terminationOrder } from "./termination-order.ts";
import { formatDuration } from "./time.ts";
import { checkVolumePath, configMapFiles } from "./volume-files.ts";

const downward = {
  podIPs: ["10.0.0.1"],
  hostIPs: ["192.0.2.1"],
  nodeName: "n1",
  allocatable: { cpuMilli: 2000, memoryBytes: 1000, ephemeralStorageBytes: 5 },
};
const podOf = (containers: Container[], more: object = {}): Pod => ({
  metadata: { name: "web", namespace: "shop", uid: "u" },
  spec: { containers, ...more },
});

test.for([
  ["$(A)", "1"],
  ["$(A)$(B)", "12"],
  ["$$(A)", "$(A)"],
  ["$$$(A)", "$1"],
  ["$(NOPE)", "$(NOPE)"],
  ["$A", "$A"],
  ["$(A", "$(A"],
  ["a$", "a$"],
])("expansion: %s is %s", ([text, want]) => {
  expect(expand(text!, (name) => ({ A: "1", B: "2" })[name])).toBe(want);
});

test("environment: envFrom, then env in order, services last; env wins", () => {
  const container: Container = {
    name: "c",
    envFrom: [{ prefix: "P_", configMapRef: { name: "m" } }],
    env: [
      { name: "X", value: "$(P_a)-$(SVC)" },
      { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
      { name: "OPT", valueFrom: { secretKeyRef: { name: "none", key: "k", optional: true } } },
      { name: "OWN", value: "mine" },
    ],
  };
  const env = makeEnvironment(podOf([container]), container, {
    configMap: (name) => (name === "m" ? { data: { a: "1" } } : undefined),
    secret: () => undefined,
    services: new Map([
      ["SVC", "s"],
      ["OWN", "theirs"],
    ]),
    downward,
  });
  expect(Object.fromEntries(env)).toEqual({
    P_a: "1",
    X: "1-s",
    IP: "10.0.0.1",
    CPU: "2",
    OWN: "mine",
    SVC: "s",
  });
});

test("service variables are upstream's", () => {
  const services = [
    {
      metadata: { name: "my-db", namespace: "shop" },
      spec: { clusterIP: "10.1.1.1", ports: [{ name: "sql", port: 5432 }] },
    },
    {
      metadata: { name: "other", namespace: "else" },
      spec: { clusterIP: "10.1.1.2", ports: [{ port: 1 }] },
    },
    {
      metadata: { name: "headless", namespace: "shop" },
      spec: { clusterIP: "None", ports: [{ port: 1 }] },
    },
  ];
  expect(Object.fromEntries(serviceEnvironment(services, "shop", true))).toEqual({
    MY_DB_SERVICE_HOST: "10.1.1.1",
    MY_DB_SERVICE_PORT: "5432",
    MY_DB_SERVICE_PORT_SQL: "5432",
    MY_DB_PORT: "tcp://10.1.1.1:5432",
    MY_DB_PORT_5432_TCP: "tcp://10.1.1.1:5432",
    MY_DB_PORT_5432_TCP_PROTO: "tcp",
    MY_DB_PORT_5432_TCP_PORT: "5432",
    MY_DB_PORT_5432_TCP_ADDR: "10.1.1.1",
  });
  expect(serviceEnvironment(services, "shop", false).size).toBe(0);
});

describe("resources", () => {
  const limited = {
    requests: { cpu: "100m", memory: "64Mi" },
    limits: { cpu: "500m", memory: "128Mi" },
  };
  test("kernel numbers", () => {
    const c: Container = { name: "c", resources: limited };
    expect(containerResources(podOf([c]), c)).toEqual({
      cpuShares: 102,
      cpuQuotaUs: 50_000,
      cpuPeriodUs: 100_000,
      memoryLimitBytes: 134_217_728,
    });
  });
  test.for<[string, object, string]>([
    ["none", {}, "BestEffort"],
    ["some", limited, "Burstable"],
    [
      "all the same",
      { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1000m", memory: "1024Mi" } },
      "Guaranteed",
    ],
  ])("QoS: %s", ([, resources, want]) => {
    expect(qosClass(podOf([{ name: "c", resources }]))).toBe(want);
  });
  test("OOM score: the more it asked for, the later it goes", () => {
    const c: Container = { name: "c", resources: { requests: { memory: "4Gi" } } };
    expect(oomScoreAdj(podOf([c]), c, 8 * 1024 ** 3)).toBe(500);
    expect(oomScoreAdj(podOf([{ name: "c" }]), { name: "c" }, 1)).toBe(1000);
  });
  test("init containers count by their peak, sidecars on top", () => {
    const ask = (name: string, cpu: string, more = {}) => ({
      name,
      resources: { requests: { cpu } },
      ...more,
    });
    const initContainers = [ask("s", "100m", { restartPolicy: "Always" }), ask("i", "500m")];
    expect(podRequest(podOf([ask("a", "200m")], { initContainers }), "cpu")).toBe(600);
  });
  test("a resource of the downward API is rounded up to whole divisors", () => {
    const c: Container = { name: "c", resources: { limits: { cpu: "250m", memory: "1500Ki" } } };
    const value = (resource: string, divisor: string) =>
      resolveResource(podOf([c]), { resource, divisor }, c, downward);
    expect([
      value("limits.cpu", "1"),
      value("limits.cpu", "1m"),
      value("limits.memory", "1Mi"),
    ]).toEqual(["1", "250", "2"]);
  });
});

test("a map as a file", () => {
  expect(formatMap({ b: "two\n", a: '"q"' })).toBe('a="\\"q\\""\nb="two\\n"');
});

test("image names", () => {
  expect(withDefaultTag("busybox")).toBe("busybox:latest");
  expect(withDefaultTag("localhost:5000/a/b")).toBe("localhost:5000/a/b:latest");
  expect(withDefaultTag("a:1")).toBe("a:1");
  expect(() => withDefaultTag("FAIL")).toThrow(
    'couldn\'t parse image name "FAIL": repository name must be lowercase',
  );
  expect(repositoryOf("busybox:1")).toEqual({ host: "docker.io", path: "library/busybox" });
  const config = {
    auths: {
      "reg.example": { username: "u", password: "p" },
      "https://reg.example/v1/team": { auth: btoa("t:q") },
    },
  };
  const data = { ".dockerconfigjson": btoa(JSON.stringify(config)) };
  expect(credentialsFor("reg.example/x:1", data).map((c) => c.username)).toEqual(["u"]);
});

test("logs: since, timestamps, pieces and the limit", () => {
  const lines = [
    "2026-01-01T00:00:01.000000001Z stdout F one",
    "2026-01-01T00:00:02.000000000Z stdout P tw",
    "2026-01-01T00:00:02.000000001Z stdout F o",
    "2026-01-01T00:00:03.000000000Z stderr F three",
  ].map((line) => new TextEncoder().encode(line));
  const read = (more: object) => {
    const selector = new LogSelector({
      sinceNanos: 0n,
      timestamps: false,
      limitBytes: undefined,
      stream: "All",
      ...more,
    });
    return lines.map((line) => new TextDecoder().decode(selector.take(line))).join("");
  };
  expect(read({})).toBe("one\ntwo\nthree\n");
  expect(read({ sinceNanos: timestampNanos("2026-01-01T00:00:02Z") })).toBe("two\nthree\n");
  expect(read({ limitBytes: 6 })).toBe("one\ntw");
  expect(read({ stream: "Stderr", timestamps: true })).toBe(
    "2026-01-01T00:00:03.000000000Z three\n",
  );
  // The last line, and another written before it was read.
  expect(read({ limitLines: 1 })).toBe("one\n");
  expect(read({ limitLines: 0 })).toBe("");
});

describe("resolver and names", () => {
  const settings = {
    clusterDNS: ["10.96.0.10"],
    clusterDomain: "cluster.local",
    host: parseResolvConf(
      "# x\nnameserver 192.0.2.1\nsearch example.com .\noptions ndots:2 rotate\n",
    ),
  };
  test.for<[string, object, object]>([
    [
      "ClusterFirst",
      {},
      {
        servers: ["10.96.0.10"],
        searches: ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.com"],
        options: ["ndots:5"],
      },
    ],
    ["ClusterFirst on the host's network is Default", { hostNetwork: true }, settings.host],
    [
      "None with its own",
      {
        dnsPolicy: "None",
        dnsConfig: { nameservers: ["192.0.2.9"], options: [{ name: "ndots", value: "3" }] },
      },
      { servers: ["192.0.2.9"], searches: [], options: ["ndots:3"] },
    ],
  ])("%s", ([, spec, want]) => {
    expect(podDNS(podOf([], spec), settings).config).toEqual(want);
  });
  test("host name, hosts file", () => {
    const pod = podOf([], {
      hostname: "db",
      subdomain: "data",
      hostAliases: [{ ip: "192.0.2.7", hostnames: ["x", "y"] }],
      setHostnameAsFQDN: true,
    });
    expect(kernelHostname(pod, "cluster.local")).toBe("db.data.shop.svc.cluster.local");
    expect(hostsFile(pod, ["10.0.0.1"], "cluster.local", "")).toContain(
      "10.0.0.1\tdb.data.shop.svc.cluster.local\tdb\n\n# Entries added by HostAliases.\n192.0.2.7\tx\ty\n",
    );
  });
});

test("back-off doubles, and starts over after peace", () => {
  const backOff = new BackOff(10, 40);
  const next = (ms: number) => {
    backOff.next("k", ms, ms);
    return backOff.get("k");
  };
  expect([next(0), next(10), next(20), next(30), next(111)]).toEqual([10, 20, 40, 40, 10]);
  expect(backOff.remainingSince("k", 111, 115)).toBe(6);
  expect(backOff.remainingSince("other", 0, 0)).toBe(0);
});

describe("probes", () => {
  const pod = (state: object, more: object = {}): Pod => ({
    metadata: { name: "p" },
    spec: { restartPolicy: "Always", containers: [] },
    status: {
      phase: "Running",
      containerStatuses: [
        {
          name: "c",
          image: "",
          imageID: "",
          ready: false,
          restartCount: 0,
          containerID: "x://1",
          state,
          ...more,
        },
      ],
    },
  });
  const subject = (kind: "startup" | "liveness" | "readiness", given: Pod, probe: object = {}) => ({
    kind,
    probe: { failureThreshold: 2, successThreshold: 1, ...probe },
    pod: given,
    container: { name: "c" },
  });
  const run = { running: { startedAt: "2026-01-01T00:00:00Z" } };
  const at = (seconds: number) => Date.UTC(2026, 0, 1, 0, 0, seconds);

  test("a new container is unready and alive until its probes have spoken", () => {
    for (const [kind, want] of [
      ["readiness", "failure"],
      ["liveness", "success"],
      ["startup", "unknown"],
    ] as const) {
      const state = newProbeState();
      nextProbeStep(
        subject(kind, pod(run, { started: kind !== "startup" })),
        state,
        at(1),
        at(-100),
      );
      expect(state.verdict).toBe(want);
    }
  });
  test("initialDelaySeconds, and nothing before the startup probe", () => {
    const delayed = subject("readiness", pod(run, { started: true }), { initialDelaySeconds: 5 });
    expect(nextProbeStep(delayed, newProbeState(), at(4), 0)).toBe("wait");
    expect(nextProbeStep(delayed, newProbeState(), at(5), 0)).toBe("run");
    expect(nextProbeStep(subject("liveness", pod(run)), newProbeState(), at(9), 0)).toBe("wait");
  });
  test("a verdict needs its threshold, then liveness holds until the next container", () => {
    const state = newProbeState();
    const live = subject("liveness", pod(run, { started: true }));
    nextProbeStep(live, state, at(1), 0);
    expect(enterProbeResult(live, state, "failure")).toBe(false);
    expect(enterProbeResult(live, state, "failure")).toBe(true);
    expect([state.verdict, nextProbeStep(live, state, at(2), 0)]).toEqual(["failure", "wait"]);
  });
  test("a pod that ended is probed no more; an ended container waits for its next run", () => {
    const over = { ...pod(run), status: { phase: "Failed" } };
    expect(nextProbeStep(subject("readiness", over), newProbeState(), 0, 0)).toBe("stop");
    const dead = pod({ terminated: { exitCode: 1 } });
    expect(nextProbeStep(subject("readiness", dead), newProbeState(), 0, 0)).toBe("wait");
    dead.spec!.restartPolicy = "Never";
    expect(nextProbeStep(subject("readiness", dead), newProbeState(), 0, 0)).toBe("stop");
  });
});

test("security: root is refused where it must not be, a container's settings win", () => {
  const pod = podOf([], { securityContext: { runAsNonRoot: true, runAsUser: 0, fsGroup: 7 } });
  pod.metadata!.uid = "1";
  const image = { uid: 0, username: "" };
  expect(() => verifyRunAsNonRoot(pod, { name: "c" }, image)).toThrow(
    `container's runAsUser breaks non-root policy (pod: "web_shop(1)", container: c)`,
  );
  const container: Container = {
    name: "c",
    securityContext: { runAsUser: 5, privileged: true, allowPrivilegeEscalation: false },
  };
  verifyRunAsNonRoot(pod, container, image);
  const made = containerSecurityContext({
    pod,
    container,
    image,
    seccompRoot: "/s",
    volumeGroups: [9],
    targetID: "",
  });
  expect(made).toMatchObject({
    runAsUser: { value: 5 },
    privileged: true,
    noNewPrivs: true,
    supplementalGroups: [7, 9],
  });
});

test("volume paths can't leave their directory", () => {
  for (const path of ["", "/a", "../a", "a/../b", "..a"])
    expect(() => checkVolumePath(path)).toThrow("invalid path");
  checkVolumePath("a/b..c");
  const files = configMapFiles(
    { data: { k: "v" } },
    { items: [{ key: "k", path: "x/y", mode: 0o600 }] },
    0o644,
  );
  expect([...files].map(([path, file]) => [path, file.mode])).toEqual([["x/y", 0o600]]);
  expect(() => configMapFiles({}, { items: [{ key: "no", path: "p" }] }, 0o644)).toThrow(
    "configmap references non-existent config key: no",
  );
});

test("sidecars end after the main containers, the last first", async () => {
  const initContainers = ["s1", "s2"].map((name) => ({ name, restartPolicy: "Always" }));
  const turns = terminationOrder(podOf([{ name: "m" }], { initContainers }), ["m", "s1", "s2"])!;
  const order: string[] = [];
  for (const name of ["s1", "s2", "m"]) void turns.get(name)!.mine.then(() => order.push(name));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  await settle();
  expect(order).toEqual(["m"]);
  turns.get("m")!.done();
  await settle();
  expect(order).toEqual(["m", "s2"]);
  turns.get("s2")!.done();
  await settle();
  expect(order).toEqual(["m", "s2", "s1"]);
});

test("admission: room, selector, taints", () => {
  const node = {
    metadata: { name: "n1", labels: { disk: "ssd" } },
    spec: { taints: [{ key: "down", effect: "NoExecute" }] },
    status: { allocatable: { cpu: "1", memory: "1Gi", pods: "2" } },
  };
  const tolerations = [{ operator: "Exists" }];
  const ask = (cpu: string, more: object = {}) =>
    podOf([{ name: "c", resources: { requests: { cpu } } }], { tolerations, ...more });
  expect(admitPod(ask("500m"), node, [ask("500m")])).toBeUndefined();
  expect(admitPod(ask("600m"), node, [ask("500m")])?.message).toBe(
    "Node didn't have enough resource: cpu, requested: 600, used: 500, capacity: 1000",
  );
  expect(admitPod(ask("1m"), node, [ask("1m"), ask("1m")])?.reason).toBe("OutOfpods");
  expect(admitPod(ask("1m", { nodeSelector: { disk: "hdd" } }), node, [])?.reason).toBe(
    "NodeAffinity",
  );
  expect(admitPod(ask("1m", { tolerations: [] }), node, [])?.reason).toBe("TaintToleration");
});

test.for([
  [{ hostPort: 80 }, { hostPort: 80 }, "NodePorts"],
  [{ hostPort: 80, hostIP: "10.0.0.1" }, { hostPort: 80 }, "NodePorts"],
  [{ hostPort: 80, hostIP: "10.0.0.1" }, { hostPort: 80, hostIP: "10.0.0.2" }, undefined],
  [{ hostPort: 80, protocol: "UDP" }, { hostPort: 80 }, undefined],
  [{ hostPort: 81 }, { hostPort: 80 }, undefined],
  [{}, {}, undefined],
] as const)("host ports %j beside %j: %s", ([own, other, reason]) => {
  const pod = (port: object) =>
    podOf([{ name: "a", ports: [{ containerPort: 8080, ...port }] }] as Container[]);
  expect(admitPod(pod(own), { metadata: { name: "n1" } }, [pod(other)])?.reason).toBe(reason);
});

describe("configuration", () => {
  const file = (more: object) => ({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    ...more,
  });
  test("takes what it has, names what has no effect, refuses the rest", () => {
    const parsed = parseKubeletConfiguration(file({ clusterDomain: "x", failSwapOn: true }));
    expect(parsed).toEqual({ configuration: { clusterDomain: "x" }, inert: ["failSwapOn"] });
    expect(() => parseKubeletConfiguration(file({ clusterDomian: "x" }))).toThrow(
      'unknown field "clusterDomian"',
    );
    expect(() => parseKubeletConfiguration(file({ maxPods: "many" }))).toThrow(
      'field "maxPods" must be a number',
    );
    expect(() => parseKubeletConfiguration(file({ cgroupDriver: "systemd" }))).toThrow(
      "not implemented",
    );
    expect(() => parseKubeletConfiguration({ kind: "Pod", apiVersion: "v1" })).toThrow(
      'no kind "Pod"',
    );
  });
  test("labels, taints, durations", () => {
    expect(parseLabels("a=b,c=")).toEqual({ a: "b", c: "" });
    expect(() => parseLabels("a")).toThrow("malformed pair");
    expect(parseTaints("k=v:NoSchedule,x:NoExecute")).toEqual([
      { key: "k", value: "v", effect: "NoSchedule" },
      { key: "x", effect: "NoExecute" },
    ]);
    expect([10_000, 90_000, 300_000, 1500, 250].map(formatDuration)).toEqual([
      "10s",
      "1m30s",
      "5m0s",
      "1.5s",
      "250ms",
    ]);
  });
});

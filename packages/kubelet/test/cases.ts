/**
 * What a kubelet does with pods, on any runtime: one table. A case plays and answers what it saw;
 * `want` is what upstream's kubelet shows.
 */
import type { Pod } from "@nanokube/api/core/v1";
import { ready, running, stateOf } from "./bench.ts";
import type { Case } from "./case.ts";
import { keepingCases } from "./keeping-cases.ts";
import { resizeCases } from "./resize-cases.ts";
import { seamCases } from "./seam-cases.ts";

const image = "busybox:latest";
const box = (command: string[], more: object = {}) => ({
  name: "main",
  image,
  imagePullPolicy: "IfNotPresent",
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  command,
  ...more,
});
const sh = (script: string, more: object = {}) => box(["sh", "-c", script], more);

const conditions = (pod: Pod) =>
  Object.fromEntries((pod.status?.conditions ?? []).map((c) => [c.type, c.status]));

const lifeCases: readonly Case[] = [
  {
    name: "a pod runs, is Ready, and goes when it is deleted",
    async play(bench) {
      await bench.create("web", { containers: [box(["sleep", "1000"])] });
      const pod = await bench.podUntil("web", ready, "Ready");
      const phases = [...(bench.api.phases.get("web") ?? [])];
      const status = pod.status?.containerStatuses?.[0];
      await bench.delete("web");
      return {
        phases,
        conditions: conditions(pod),
        status: [status?.ready, status?.started, status?.restartCount],
        qos: pod.status?.qosClass,
        hasAddress: pod.status?.podIP !== undefined && pod.status.podIP !== "",
        events: await bench.until(async () => {
          const seen = await bench.events("web");
          return (
            seen.some((text) => text.startsWith("Killing")) &&
            seen.map((text) => text.split(":")[0]).sort()
          );
        }, "the events"),
      };
    },
    want: {
      phases: ["Pending", "Running"],
      conditions: {
        PodReadyToStartContainers: "True",
        Initialized: "True",
        Ready: "True",
        ContainersReady: "True",
        PodScheduled: "True",
      },
      status: [true, true, 0],
      qos: "BestEffort",
      hasAddress: true,
      events: ["Created", "Killing", "Pulled", "Started"],
    },
  },
  {
    name: "a pod that runs once succeeds, with its last words",
    async play(bench) {
      const words = sh("echo the end > /dev/termination-log; echo logged");
      await bench.create("once", { restartPolicy: "Never", containers: [words] });
      const pod = await bench.podUntil("once", (p) => p.status?.phase === "Succeeded", "Succeeded");
      const log = await bench.logsOf("once", "main");
      const { exitCode, reason, message } = stateOf(pod)?.terminated ?? {};
      const why = pod.status?.conditions?.find((c) => c.type === "Ready")?.reason;
      await bench.delete("once");
      return { exitCode, reason, message, why, log };
    },
    want: {
      exitCode: 0,
      reason: "Completed",
      message: "the end\n",
      why: "PodCompleted",
      log: "logged\n",
    },
  },
  {
    name: "a failing container is started again, then held back",
    async play(bench) {
      await bench.create("crash", { containers: [sh("exit 3")] });
      const held = (p: Pod) => stateOf(p)?.waiting?.reason === "CrashLoopBackOff";
      const pod = await bench.podUntil("crash", held, "CrashLoopBackOff");
      const status = pod.status?.containerStatuses?.[0];
      const message = stateOf(pod)?.waiting?.message?.replace(/crash_default\(.*\)/, "POD");
      await bench.delete("crash");
      const { exitCode, reason } = status?.lastState?.terminated ?? {};
      return {
        phase: pod.status?.phase,
        restarts: status?.restartCount,
        message,
        exitCode,
        reason,
      };
    },
    want: {
      phase: "Running",
      restarts: 1,
      message: "back-off 10s restarting failed container=main pod=POD",
      exitCode: 3,
      reason: "Error",
    },
  },
  {
    name: "init containers run one after the other, a sidecar beside the main container",
    async play(bench) {
      const shared = { volumeMounts: [{ name: "shared", mountPath: "/shared" }] };
      await bench.create("steps", {
        volumes: [{ name: "shared", emptyDir: {} }],
        initContainers: [
          sh("echo one >> /shared/order", { name: "one", ...shared }),
          box(["sleep", "1000"], { name: "side", restartPolicy: "Always" }),
          sh("echo two >> /shared/order", { name: "two", ...shared }),
        ],
        containers: [sh("cat /shared/order; sleep 1000", shared)],
      });
      const pod = await bench.podUntil("steps", ready, "Ready");
      const log = await bench.until(async () => {
        const text = await bench.logsOf("steps", "main");
        return text.includes("two") && text;
      }, "the log");
      const init = pod.status?.initContainerStatuses?.map((s) => [
        s.name,
        s.ready,
        Object.keys(s.state ?? {})[0],
      ]);
      await bench.delete("steps");
      return { log, init };
    },
    want: {
      log: "one\ntwo\n",
      init: [
        ["one", true, "terminated"],
        ["side", true, "running"],
        ["two", true, "terminated"],
      ],
    },
  },
  {
    name: "ConfigMaps and Secrets come as variables and files, and files follow their changes",
    async play(bench) {
      await bench.put("ConfigMap", "configmaps", "settings", { data: { colour: "red" } });
      await bench.put("Secret", "secrets", "till", { data: { pin: "NDcxMQ==" } });
      await bench.create("config", {
        containers: [
          sh('echo "$COLOUR $(PIN)"; while :; do cat /etc/settings/colour; echo; sleep 0.1; done', {
            env: [
              {
                name: "COLOUR",
                valueFrom: { configMapKeyRef: { name: "settings", key: "colour" } },
              },
              { name: "PIN", valueFrom: { secretKeyRef: { name: "till", key: "pin" } } },
              { name: "BOTH", value: "$(COLOUR)-$(PIN)-$(NOPE)-$$(X)" },
            ],
            args: [],
            volumeMounts: [{ name: "settings", mountPath: "/etc/settings" }],
          }),
        ],
        volumes: [{ name: "settings", configMap: { name: "settings", defaultMode: 420 } }],
      });
      await bench.until(
        async () => (await bench.logsOf("config", "main")).includes("\nred"),
        "red",
      );
      const path = "/api/v1/namespaces/default/configmaps/settings";
      await bench.api.call("PATCH", path, { data: { colour: "blue" } });
      const log = await bench.until(async () => {
        const text = await bench.logsOf("config", "main");
        return text.includes("blue") && text;
      }, "the change");
      await bench.delete("config");
      return [...new Set(log.split("\n").filter((line) => line !== ""))];
    },
    want: ["red 4711", "red", "blue"],
  },
  {
    name: "a missing ConfigMap keeps the container waiting, a missing volume the pod",
    async play(bench) {
      const from = { envFrom: [{ configMapRef: { name: "absent" } }] };
      await bench.create("noenv", { containers: [box(["sleep", "1000"], from)] });
      await bench.create("novolume", {
        containers: [box(["sleep", "1000"], { volumeMounts: [{ name: "v", mountPath: "/v" }] })],
        volumes: [{ name: "v", configMap: { name: "absent", defaultMode: 420 } }],
      });
      const isWaiting = (p: Pod) => stateOf(p)?.waiting?.reason === "CreateContainerConfigError";
      const pod = await bench.podUntil("noenv", isWaiting, "CreateContainerConfigError");
      const event = await bench.until(
        async () => (await bench.events("novolume")).find((text) => text.startsWith("FailedMount")),
        "FailedMount",
      );
      const other = await bench.pod("novolume");
      await bench.delete("noenv");
      await bench.delete("novolume");
      return {
        message: stateOf(pod)?.waiting?.message,
        event,
        waiting: stateOf(other)?.waiting?.reason,
      };
    },
    want: {
      message: 'configmap "absent" not found',
      event: 'FailedMount: MountVolume.SetUp failed for volume "v" : configmap "absent" not found',
      waiting: "ContainerCreating",
    },
  },
  {
    name: "images that can't be had: Never, and a pull that fails",
    async play(bench) {
      const never = { image: "absent:1", imagePullPolicy: "Never" };
      const remote = { image: "nowhere.invalid/absent:1", imagePullPolicy: "Always" };
      await bench.create("never", { containers: [box([], never)] });
      await bench.create("pull", { containers: [box([], remote)] });
      const waits = (reason: RegExp) => (p: Pod) => reason.test(stateOf(p)?.waiting?.reason ?? "");
      const first = await bench.podUntil("never", waits(/ErrImageNeverPull/), "ErrImageNeverPull");
      const second = await bench.podUntil(
        "pull",
        waits(/ErrImagePull|ImagePullBackOff/),
        "failure",
      );
      await bench.delete("never");
      await bench.delete("pull");
      return [stateOf(first)?.waiting?.message, second.status?.phase];
    },
    want: ['Container image "absent:1" is not present with pull policy of Never', "Pending"],
  },
  {
    name: "a readiness probe decides on Ready, a liveness probe on life",
    async play(bench) {
      const exec = (file: string) => ({ exec: { command: ["test", "-f", file] } });
      const times = {
        periodSeconds: 1,
        failureThreshold: 1,
        timeoutSeconds: 5,
        successThreshold: 1,
      };
      await bench.create("probed", {
        containers: [
          sh("sleep 1; : > /tmp/ready; : > /tmp/alive; sleep 2; rm /tmp/alive; sleep 1000", {
            readinessProbe: { ...exec("/tmp/ready"), ...times },
            livenessProbe: { ...exec("/tmp/alive"), ...times, initialDelaySeconds: 2 },
          }),
        ],
      });
      const first = await bench.podUntil("probed", running, "Running");
      await bench.podUntil("probed", ready, "Ready");
      const again = (p: Pod) => (p.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0;
      await bench.podUntil("probed", again, "a restart");
      const events = await bench.events("probed");
      await bench.delete("probed");
      return {
        before: ready(first),
        killed: events.includes("Killing: Container main failed liveness probe, will be restarted"),
        unhealthy: events.some((text) => text.startsWith("Unhealthy: Liveness probe failed:")),
      };
    },
    want: { before: false, killed: true, unhealthy: true },
  },
  {
    name: "TERM reaches the container and preStop runs before it",
    async play(bench) {
      const preStop = { exec: { command: ["sh", "-c", "echo hook > /tmp/hook"] } };
      const script =
        "trap 'cat /tmp/hook; echo term; exit 0' TERM; echo up; while :; do sleep 0.05; done";
      await bench.create("polite", {
        terminationGracePeriodSeconds: 10,
        restartPolicy: "Never",
        containers: [sh(script, { lifecycle: { preStop } })],
      });
      await bench.until(async () => (await bench.logsOf("polite", "main")).includes("up"), "start");
      const followed = bench.logsOf("polite", "main", "?follow=true");
      await bench.delete("polite");
      return (await followed).split("\n");
    },
    want: ["up", "hook", "term", ""],
  },
  {
    name: "a restarted kubelet finds its pods as they are",
    alone: true,
    async play(bench) {
      await bench.create("stays", { containers: [sh("echo started; sleep 1000")] });
      const before = await bench.podUntil("stays", ready, "Ready");
      await bench.create("leaves", { containers: [box(["sleep", "1000"])] });
      await bench.podUntil("leaves", ready, "Ready");
      await bench.stop();
      await bench.api.call("DELETE", bench.path("leaves"), { gracePeriodSeconds: 0 });
      await bench.start();
      await bench.create("fresh", { containers: [box(["sleep", "1000"])] });
      await bench.podUntil("fresh", ready, "Ready");
      const after = await bench.pod("stays");
      const id = (pod: Pod) => pod.status?.containerStatuses?.[0]?.containerID;
      const log = await bench.logsOf("stays", "main");
      await bench.delete("fresh");
      await bench.delete("stays");
      return {
        same: id(before) === id(after),
        restarts: after.status?.containerStatuses?.[0]?.restartCount,
        log,
      };
    },
    want: { same: true, restarts: 0, log: "started\n" },
  },
  {
    name: "a pod the node has no room for is refused",
    async play(bench) {
      const resources = { requests: { cpu: "1000" } };
      await bench.create("huge", { containers: [box(["sleep", "1000"], { resources })] });
      const pod = await bench.podUntil("huge", (p) => p.status?.phase === "Failed", "Failed");
      await bench.delete("huge");
      return [pod.status?.reason, pod.status?.message?.replace(/used: \d+, capacity: \d+/, "…")];
    },
    want: [
      "OutOfcpu",
      "Pod was rejected: Node didn't have enough resource: cpu, requested: 1000000, …",
    ],
  },
  {
    name: "a pod over its deadline ends",
    async play(bench) {
      const containers = [box(["sleep", "1000"])];
      await bench.create("late", { activeDeadlineSeconds: 1, containers });
      const pod = await bench.podUntil("late", (p) => p.status?.phase === "Failed", "Failed");
      await bench.delete("late");
      return [pod.status?.reason, pod.status?.message];
    },
    want: ["DeadlineExceeded", "Pod was active on the node longer than the specified deadline"],
  },
];

export const cases: readonly Case[] = [...lifeCases, ...resizeCases, ...seamCases, ...keepingCases];

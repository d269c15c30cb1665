/** Seams between the kubelet and others: hooks, registries with passwords, the order of an end. */
import type { Pod } from "@nanokube/api/core/v1";
import { ready, stateOf } from "./bench.ts";
import type { Case } from "./case.ts";
import { startRegistry } from "./registry.ts";

const box = (command: string[], more: object = {}) => ({
  name: "main",
  image: "busybox:latest",
  imagePullPolicy: "IfNotPresent",
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  command,
  ...more,
});
const sh = (script: string, more: object = {}) => box(["sh", "-c", script], more);
const restarts = (pod: Pod) => pod.status?.containerStatuses?.[0]?.restartCount ?? 0;

export const seamCases: readonly Case[] = [
  {
    name: "an image from a registry that wants a password",
    async play(bench) {
      const registry = await startRegistry("ann", "s3cret");
      try {
        const auths = { [registry.host]: { username: "ann", password: "s3cret" } };
        const config = Buffer.from(JSON.stringify({ auths })).toString("base64");
        await bench.put("Secret", "secrets", "pull", {
          type: "kubernetes.io/dockerconfigjson",
          data: { ".dockerconfigjson": config },
        });
        const image = `${registry.host}/private/app:1`;
        await bench.create("private", {
          imagePullSecrets: [{ name: "pull" }],
          containers: [box(["/bin/busybox", "sleep", "1000"], { image })],
        });
        const pod = await bench.podUntil("private", ready, "Ready");
        const events = await bench.events("private");
        await bench.delete("private");
        return {
          image: pod.status?.containerStatuses?.[0]?.image === image,
          pulled: events.some((text) => text.startsWith("Pulled: Successfully pulled image")),
        };
      } finally {
        await registry.close();
      }
    },
    want: { image: true, pulled: true },
  },
  {
    name: "a postStart hook that fails ends its container, one that waits holds the next one back",
    async play(bench) {
      const postStart = (handler: object) => ({ lifecycle: { postStart: handler } });
      await bench.create("hooked", {
        restartPolicy: "Never",
        containers: [
          box(["sleep", "1000"], {
            name: "slow",
            ...postStart({ sleep: { seconds: 2 } }),
          }),
          sh("sleep 1000", { ...postStart({ exec: { command: ["sh", "-c", "exit 7"] } }) }),
        ],
      });
      const events = await bench.until(async () => {
        const seen = await bench.events("hooked");
        return seen.some((text) => text.startsWith("Killing")) && seen;
      }, "Killing");
      const ended = (p: Pod) =>
        p.status?.containerStatuses?.find((s) => s.name === "main")?.state?.terminated !==
        undefined;
      const pod = await bench.podUntil("hooked", ended, "the end of main");
      const startOf = (name: string) => {
        const state = pod.status?.containerStatuses?.find((s) => s.name === name)?.state;
        return Date.parse((state?.running ?? state?.terminated)?.startedAt ?? "");
      };
      await bench.delete("hooked");
      return {
        heldBack: startOf("main") - startOf("slow") >= 1000,
        events: events.filter((text) => /^(Killing|FailedPostStartHook)/.test(text)).sort(),
      };
    },
    want: {
      heldBack: true,
      events: ["FailedPostStartHook: PostStartHook failed", "Killing: FailedPostStartHook"],
    },
  },
  {
    name: "a preStop hook that waits takes of the grace, and what is left is the container's",
    async play(bench) {
      const lifecycle = { preStop: { sleep: { seconds: 1 } } };
      await bench.create("waits", {
        terminationGracePeriodSeconds: 20,
        containers: [
          sh("trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done", { lifecycle }),
        ],
      });
      await bench.until(async () => (await bench.logsOf("waits", "main")).includes("up"), "start");
      const start = Date.now();
      await bench.delete("waits");
      const tookMs = Date.now() - start;
      return { waited: tookMs >= 1000, notForever: tookMs < 10_000 };
    },
    want: { waited: true, notForever: true },
  },
  {
    name: "a sidecar is stopped after the main container",
    async play(bench) {
      const volumeMounts = [{ name: "shared", mountPath: "/shared" }];
      const say = (word: string, first: string) =>
        `trap '${first}echo ${word} >> /shared/order; cat /shared/order; exit 0' TERM; echo up; while :; do sleep 0.05; done`;
      await bench.create("ends", {
        restartPolicy: "Never",
        terminationGracePeriodSeconds: 15,
        volumes: [{ name: "shared", emptyDir: {} }],
        initContainers: [
          sh(say("side", ""), { name: "side", restartPolicy: "Always", volumeMounts }),
        ],
        containers: [sh(say("main", "sleep 1; "), { volumeMounts })],
      });
      await bench.podUntil("ends", ready, "Ready");
      await bench.until(async () => (await bench.logsOf("ends", "main")).includes("up"), "main");
      await bench.until(async () => (await bench.logsOf("ends", "side")).includes("up"), "side");
      const log = bench.logsOf("ends", "side", "?follow=true");
      await bench.delete("ends");
      return (await log).split("\n");
    },
    want: ["up", "main", "side", ""],
  },
  {
    name: "a sidecar's startup probe holds back the containers after it",
    async play(bench) {
      const startupProbe = {
        exec: { command: ["test", "-f", "/tmp/up"] },
        periodSeconds: 1,
        failureThreshold: 20,
        successThreshold: 1,
        timeoutSeconds: 5,
      };
      await bench.create("gated", {
        initContainers: [
          sh("sleep 2; : > /tmp/up; sleep 1000", {
            name: "side",
            restartPolicy: "Always",
            startupProbe,
          }),
        ],
        containers: [box(["sleep", "1000"])],
      });
      const pod = await bench.podUntil("gated", ready, "Ready");
      const side = pod.status?.initContainerStatuses?.[0]?.state?.running?.startedAt ?? "";
      const main = stateOf(pod)?.running?.startedAt ?? "";
      await bench.delete("gated");
      return Date.parse(main) - Date.parse(side) >= 1000;
    },
    want: true,
  },
  {
    name: "a probe whose command hangs is over after its timeout",
    async play(bench) {
      const livenessProbe = {
        exec: { command: ["sleep", "30"] },
        periodSeconds: 1,
        timeoutSeconds: 1,
        failureThreshold: 1,
        successThreshold: 1,
      };
      await bench.create("hangs", {
        terminationGracePeriodSeconds: 1,
        containers: [box(["sleep", "1000"], { livenessProbe })],
      });
      await bench.podUntil("hangs", (pod) => restarts(pod) > 0, "a restart");
      const events = await bench.events("hangs");
      await bench.delete("hangs");
      return events.find((text) => text.startsWith("Unhealthy"));
    },
    want: 'Unhealthy: Liveness probe failed: command timed out: "sleep 30" timed out after 1s',
  },
  {
    name: "another system's pod, and a kernel setting that is not the pod's, are refused",
    async play(bench) {
      await bench.create("other", { os: { name: "windows" }, containers: [box(["true"])] });
      const sysctls = [{ name: "kernel/msgmax", value: "1" }];
      await bench.create("unsafe", { securityContext: { sysctls }, containers: [box(["true"])] });
      const refused = (pod: Pod) => pod.status?.phase === "Failed";
      const seen = [];
      for (const name of ["other", "unsafe"]) {
        const { status } = await bench.podUntil(name, refused, "Failed");
        seen.push([status?.reason, status?.message]);
        await bench.delete(name);
      }
      return seen;
    },
    want: [
      [
        "PodOSNotSupported",
        "Pod was rejected: Failed to admit pod as the OS field doesn't match node OS",
      ],
      ["SysctlForbidden", 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted'],
    ],
  },
  {
    name: "a pod on the node's network knows the node's address as its own",
    async play(bench) {
      const field = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });
      await bench.create("hostnet", {
        hostNetwork: true,
        restartPolicy: "Never",
        containers: [
          sh('echo "$POD $HOST"', {
            env: [
              { name: "POD", ...field("status.podIP") },
              { name: "HOST", ...field("status.hostIP") },
            ],
          }),
        ],
      });
      await bench.podUntil("hostnet", (p) => p.status?.phase === "Succeeded", "Succeeded");
      const log = await bench.logsOf("hostnet", "main");
      await bench.delete("hostnet");
      return log;
    },
    want: "127.0.0.1 127.0.0.1\n",
  },
];

/** What keeps a node in order: logs that are rotated, pods that must go when memory is short. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Pod } from "@nanokube/api/core/v1";
import { ready } from "./bench.ts";
import type { Case } from "./case.ts";

const sh = (script: string) => ({
  name: "main",
  image: "busybox:latest",
  imagePullPolicy: "IfNotPresent",
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  command: ["sh", "-c", script],
});

export const keepingCases: readonly Case[] = [
  {
    name: "a log that grows is rotated, compressed, and at last removed",
    async play(bench) {
      const script = "i=0; while :; do i=$((i+1)); echo line $i of a log that grows; done";
      await bench.create("talker", { containers: [sh(`${script} | head -c 2000000; sleep 1000`)] });
      const pod = await bench.podUntil("talker", ready, "Ready");
      const directory = join(bench.dir, "logs", `default_talker_${pod.metadata?.uid}`, "main");
      const files = () => readdirSync(directory);
      const rotated = await bench.until(async () => {
        const now = files();
        const old = now.some((name) => /^0\.log\.\d{8}-\d{6}$/.test(name));
        // The one is there a moment before the other.
        return old && now.includes("0.log") && now;
      }, "a rotated log and a new one");
      await bench.delete("talker");
      return { few: rotated.length <= 4 };
    },
    want: { few: true },
  },
  {
    name: "a node short of memory ends a pod, says so, and takes in no more",
    alone: true,
    async play(bench) {
      await bench.create("heavy", { containers: [sh("sleep 1000")] });
      await bench.podUntil("heavy", ready, "Ready");
      await bench.stop();
      // Whatever the machine has, it is less than all.
      const hard = { "memory.available": "99%" };
      await bench.start({ eviction: { hard, transitionMs: 60_000 } });
      const failed = (pod: Pod) => pod.status?.phase === "Failed";
      const { status } = await bench.podUntil("heavy", failed, "Failed");
      const target = status?.conditions?.find((c) => c.type === "DisruptionTarget");
      await bench.create("late", { containers: [sh("sleep 1000")] });
      const late = await bench.podUntil("late", failed, "Failed");
      const node = await bench.until(async () => {
        const found = await bench.get<{
          status?: { conditions?: { type: string; status: string }[] };
        }>("/api/v1/nodes/n1");
        const pressure = found.status?.conditions?.find((c) => c.type === "MemoryPressure");
        return pressure?.status === "True" && pressure.status;
      }, "MemoryPressure");
      await bench.stop();
      await bench.start();
      await bench.delete("late");
      await bench.delete("heavy");
      return {
        reason: status?.reason,
        message: status?.message?.replace(/quantity: \S+, available: .*$/, "…"),
        target: [target?.status, target?.reason],
        late: [late.status?.reason, late.status?.message],
        node,
      };
    },
    want: {
      reason: "Evicted",
      message: "The node was low on resource: memory. Threshold …",
      target: ["True", "TerminationByKubelet"],
      late: ["Evicted", "Pod was rejected: The node had condition: [MemoryPressure]. "],
      node: "True",
    },
  },
];

#!/usr/bin/env node
import { execFile } from "node:child_process";
/** dev */
import { readFileSync } from "node:fs";
import { createClient, createHttpTransport, loadKubeconfig } from "@nanokube/client";
import { type Exec, systemClock, systemRandom } from "@nanokube/machinery";
import { dial } from "@nanokube/rpc";
import { pino } from "pino";
import { createKubelet } from "./index.ts";

const exec: Exec = (argv) =>
  new Promise((resolve) => {
    execFile(argv[0]!, argv.slice(1), (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ stdout, stderr: stderr + (code === -1 ? String(error) : ""), code });
    });
  });
const env = process.env;
const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());
process.on("SIGINT", () => stop.abort());
const kubelet = createKubelet({
  client: createClient({
    transport: createHttpTransport(loadKubeconfig(env.KUBECONFIG!)),
    userAgent: "kubelet",
  }),
  cri: dial(`unix://${env.CRI!}`),
  nodeName: env.NODE!,
  nodeIP: env.NODE_IP!,
  rootDir: env.ROOT!,
  podLogsDir: "/var/log/pods",
  clock: systemClock,
  random: systemRandom,
  log: pino({ level: "debug" }),
  exec,
  clusterDNS: ["10.96.0.10"],
  serving: { clientCA: readFileSync(env.CLIENT_CA!, "utf8") },
  ...(env.CGROUP_ROOT ? { cgroups: { root: env.CGROUP_ROOT } } : {}),
});
const hold = setInterval(() => {}, 1 << 30);
await kubelet.start(stop.signal);
clearInterval(hold);

#!/usr/bin/env node
/**
 * controller-manager: flags as kube-controller-manager's, for those that it has.
 *
 * Errors  one line on stderr, exit code 1
 */
import "@nanokube/machinery/require-node";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import {
  createClient,
  createHttpTransport,
  inClusterConfig,
  loadKubeconfig,
} from "@nanokube/client";
import { systemClock, systemRandom } from "@nanokube/machinery";
import { createClient as createRpcClient, csi, dial } from "@nanokube/rpc";
import { Command, Option } from "commander";
import pino from "pino";
import { createControllerManager, createCsiProvisioner, knownControllers } from "./index.ts";
import { createAccountClients } from "./io/account-clients.ts";

interface Flags {
  kubeconfig?: string;
  controllers: string[];
  rootCaFile?: string;
  clusterCidr?: string;
  nodeCidrMaskSize: string;
  allocateNodeCidrs?: boolean | string;
  serviceAccountPrivateKeyFile?: string;
  useServiceAccountCredentials?: boolean | string;
  clusterSigningCertFile?: string;
  clusterSigningKeyFile?: string;
  nodeMonitorGracePeriod: string;
  nodeMonitorPeriod: string;
  nodeStartupGracePeriod: string;
  terminatedPodGcThreshold: string;
  legacyServiceAccountTokenCleanUpPeriod: string;
  leaderElect: string | boolean;
  leaderElectLeaseDuration: string;
  leaderElectRenewDeadline: string;
  leaderElectRetryPeriod: string;
  leaderElectResourceName: string;
  leaderElectResourceNamespace: string;
  v: string;
}

const program = new Command("controller-manager")
  .description("Runs the Kubernetes controllers against an API server.")
  .option(
    "--kubeconfig <file>",
    "kubeconfig to reach the API server; in a pod, its service account",
  )
  .option(
    "--controllers <list>",
    "controllers to run: '*' is all, 'foo' is that one, '-foo' is not that one. " +
      `All: ${knownControllers().join(", ")}`,
    (value: string) => value.split(","),
    ["*"],
  )
  .option("--root-ca-file <file>", "CA published in every namespace as kube-root-ca.crt")
  .option("--allocate-node-cidrs [bool]", "give nodes pod CIDRs out of --cluster-cidr")
  .option("--cluster-cidr <cidr>", "range of the pods' addresses")
  .option("--node-cidr-mask-size <bits>", "size of a node's range", "24")
  .option("--service-account-private-key-file <file>", "key of service account tokens")
  .option(
    "--use-service-account-credentials [bool]",
    "each controller is a service account of its own",
  )
  .option("--cluster-signing-cert-file <file>", "CA that signs certificate signing requests")
  .option("--cluster-signing-key-file <file>", "its key")
  .option("--node-monitor-grace-period <duration>", "a node may be silent this long", "50s")
  .option("--node-monitor-period <duration>", "how often nodes are looked at", "5s")
  .option("--node-startup-grace-period <duration>", "a new node may be silent this long", "1m")
  .option("--terminated-pod-gc-threshold <count>", "ended pods that are kept", "12500")
  .option(
    "--legacy-service-account-token-clean-up-period <duration>",
    "unused tokens in Secrets are marked as invalid after this, and deleted after as long again",
    "8760h",
  )
  .option("--leader-elect [bool]", "run only while holding the lease", "true")
  .option("--leader-elect-lease-duration <duration>", "how long a lease is good", "15s")
  .option("--leader-elect-renew-deadline <duration>", "give up leading after", "10s")
  .option("--leader-elect-retry-period <duration>", "time between tries", "2s")
  .option("--leader-elect-resource-name <name>", "the lease", "kube-controller-manager")
  .option("--leader-elect-resource-namespace <namespace>", "where it is", "kube-system")
  .addOption(new Option("-v, --v <level>", "log level").default("2"));

/** In milliseconds. */
function duration(text: string, flag: string): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const match = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)$/.exec(text);
  if (match === null) {
    throw new Error(
      `invalid argument "${text}" for "--${flag}" flag: time: invalid duration "${text}"`,
    );
  }
  return Number(match[1]) * units[match[2]!]!;
}

function cleanUpPeriod(text: string): number {
  const ms = duration(text, "legacy-service-account-token-clean-up-period");
  if (ms === 0) throw new Error("invalid CleanUpPeriod: 0s");
  return ms;
}

function readPEM(path: string | undefined): string | undefined {
  return path === undefined ? undefined : readFileSync(path, "utf8");
}

interface ProvisionerFlags {
  kubeconfig?: string;
  csiAddress: string;
  driverName?: string;
  nodeName?: string;
  v: string;
}

program
  .command("csi-provisioner")
  .description(
    "Makes and deletes the volumes of one CSI driver: upstream's sidecar external-provisioner.",
  )
  .option(
    "--kubeconfig <file>",
    "kubeconfig to reach the API server; in a pod, its service account",
  )
  .option("--csi-address <socket>", "the driver's socket", "/run/csi/socket")
  .option("--driver-name <name>", "the driver; it is asked when not given")
  .option("--node-name <name>", "mind only claims whose pod was scheduled to this node")
  .addOption(new Option("-v, --v <level>", "log level").default("2"))
  .action(provision);
program.action(run);

function clientFor(kubeconfig: string | undefined, userAgent: string) {
  const config =
    kubeconfig === undefined ? inClusterConfig(process.env) : loadKubeconfig(kubeconfig);
  const transport = createHttpTransport(config);
  return { config, transport, client: createClient({ transport, userAgent }) };
}

function logFor(level: string) {
  return pino({ level: Number(level) >= 4 ? "debug" : "info" }, pino.destination(2));
}

function untilSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  return stop.signal;
}

async function provision(flags: ProvisionerFlags): Promise<void> {
  const { transport, client } = clientFor(flags.kubeconfig, "nanokube-csi-provisioner");
  const channel = dial(`unix://${flags.csiAddress}`);
  const { name } = await createRpcClient(channel, csi.Identity).getPluginInfo(
    {},
    { timeoutMs: 30_000, waitForReady: true },
  );
  const provisioner = createCsiProvisioner({
    client,
    csi: channel,
    driverName: flags.driverName ?? name,
    nodeName: flags.nodeName,
    clock: systemClock,
    random: systemRandom,
    log: logFor(flags.v),
  });
  await provisioner.start(untilSignal());
  channel.close();
  transport.close();
}

async function run(flags: Flags): Promise<void> {
  const log = logFor(flags.v);
  const { config, transport, client } = clientFor(flags.kubeconfig, "nanokube-controller-manager");
  const signingCert = readPEM(flags.clusterSigningCertFile);
  const signingKey = readPEM(flags.clusterSigningKeyFile);
  const isOn = (flag: boolean | string | undefined) => flag === true || flag === "true";
  const allocate = isOn(flags.allocateNodeCidrs);
  const anonymous = createHttpTransport({
    server: config.server,
    caData: config.caData,
    insecureSkipTLSVerify: config.insecureSkipTLSVerify,
    tlsServerName: config.tlsServerName,
  });
  const manager = createControllerManager({
    client,
    ...(isOn(flags.useServiceAccountCredentials)
      ? { clientAs: createAccountClients({ root: client, anonymous, clock: systemClock }) }
      : {}),
    clock: systemClock,
    random: systemRandom,
    log,
    controllers: flags.controllers,
    rootCA: readPEM(flags.rootCaFile) ?? config.caData,
    serviceAccountKey: readPEM(flags.serviceAccountPrivateKeyFile),
    clusterCIDR: allocate ? flags.clusterCidr : undefined,
    nodeCIDRMaskSize: Number(flags.nodeCidrMaskSize),
    nodeMonitorGracePeriodMs: duration(flags.nodeMonitorGracePeriod, "node-monitor-grace-period"),
    nodeMonitorPeriodMs: duration(flags.nodeMonitorPeriod, "node-monitor-period"),
    nodeStartupGracePeriodMs: duration(flags.nodeStartupGracePeriod, "node-startup-grace-period"),
    terminatedPodGCThreshold: Number(flags.terminatedPodGcThreshold),
    legacyTokenCleanUpPeriodMs: cleanUpPeriod(flags.legacyServiceAccountTokenCleanUpPeriod),
    clusterSigning:
      signingCert === undefined || signingKey === undefined
        ? undefined
        : { cert: signingCert, key: signingKey },
    ...(flags.leaderElect === "false"
      ? {}
      : {
          leaderElection: {
            identity: `${hostname()}_${systemRandom.uuid()}`,
            name: flags.leaderElectResourceName,
            namespace: flags.leaderElectResourceNamespace,
            leaseDurationMs: duration(
              flags.leaderElectLeaseDuration,
              "leader-elect-lease-duration",
            ),
            renewDeadlineMs: duration(
              flags.leaderElectRenewDeadline,
              "leader-elect-renew-deadline",
            ),
            retryPeriodMs: duration(flags.leaderElectRetryPeriod, "leader-elect-retry-period"),
          },
        }),
  });
  const stop = untilSignal();
  await manager.start(stop);
  transport.close();
  anonymous.close();
  // Whoever lost the lease must not go on by accident: the supervisor starts it again.
  if (!stop.aborted) throw new Error("leaderelection lost");
}

program.parseAsync(process.argv).catch((error: Error) => {
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
});

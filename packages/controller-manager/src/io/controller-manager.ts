/**
 * All controllers in one process, on shared informers, under one leader lease.
 */
import {
  type Client,
  createInformerFactory,
  groupResourceOf,
  type ResourceRef,
  runLeaderElection,
} from "@nanokube/client";
import type { Clock, Log, Random } from "@nanokube/machinery";
import { accountOf, isRoot } from "../core/accounts.ts";
import type { Controller } from "../core/controller.ts";
import { type ControllerOptions, controllers } from "../core/controllers.ts";
import { pickControllers } from "../core/names.ts";
import { ensureAccount } from "./account-clients.ts";
import type { CertificateAuthority } from "./certificate-signer.ts";
import { digests } from "./digests.ts";
import { garbageCollectorName, runGarbageCollector } from "./garbage-collector.ts";
import { runController } from "./runner.ts";

export interface ControllerManagerOptions extends ControllerOptions {
  /** Watches for all, and holds the lease. */
  client: Client;
  /** The client of a service account of kube-system; absent: all controllers are `client`. */
  clientAs?: (account: string) => Client;
  clock: Clock;
  random: Random;
  log: Log;
  /** As in --controllers; ["*"] unless told. */
  controllers?: readonly string[];
  /** Absent: runs at once, without a lease. */
  leaderElection?: {
    identity: string;
    namespace?: string;
    name?: string;
    leaseDurationMs?: number;
    renewDeadlineMs?: number;
    retryPeriodMs?: number;
  };
}

export interface ControllerManager {
  /** The names that run. */
  readonly names: readonly string[];
  /** Resolves when the signal came and all have stopped, or the lease was lost. */
  start(signal: AbortSignal): Promise<void>;
}

export function createControllerManager(options: ControllerManagerOptions): ControllerManager {
  const { client, clock, random, log } = options;
  const known = knownControllers();
  const picked = pickControllers(options.controllers ?? ["*"], known, offByDefault);
  const names = known.filter((name) => picked.has(name));

  const run = async (signal: AbortSignal) => {
    const informers = createInformerFactory({ client, clock, random, log });
    const chosen = controllers
      .filter(({ name }) => picked.has(name))
      .flatMap(({ create }) => create({ digests, ...options }) ?? [])
      .map((controller) => ({ ...controller, ...answerFor(controller.name, options) }));
    const shared = new Set<string>();
    for (const { resource, indexers } of chosen.flatMap(({ watches }) => watches)) {
      shared.add(groupResourceOf(resource));
      informers.for(resource, { indexers });
    }
    const runner = (name: string) => {
      const own = (isRoot(name) ? undefined : options.clientAs?.(accountOf(name))) ?? client;
      return { client: own, informers, clock, random, log };
    };
    const running = chosen.map((one) => runController(one, runner(one.name), signal));
    if (picked.has(garbageCollectorName)) {
      const isShared = (resource: ResourceRef) => shared.has(groupResourceOf(resource));
      const own = runner(garbageCollectorName);
      running.push(runGarbageCollector({ ...own, watchClient: client, isShared }, signal));
    }
    informers.start(signal);
    if (options.clientAs !== undefined) void makeAccounts(options, names);
    log.info({ controllers: names }, "controllers started");
    await Promise.all(running);
  };

  const start = async (signal: AbortSignal) => {
    const election = options.leaderElection;
    if (election === undefined) return run(signal);
    await runLeaderElection({
      ...election,
      client,
      clock,
      random,
      log,
      lease: {
        namespace: election.namespace ?? "kube-system",
        name: election.name ?? "kube-controller-manager",
      },
      signal,
      releaseOnCancel: true,
      onStarted: run,
      onStopped: () => log.info({}, "leading ended"),
    });
  };
  return { names, start };
}

/** For whoever looks for the users that they see at work; a failure is told and changes nothing. */
async function makeAccounts(
  { client, log }: ControllerManagerOptions,
  names: readonly string[],
): Promise<void> {
  const accounts = new Set(names.filter((name) => !isRoot(name)).map(accountOf));
  const made = await Promise.allSettled([...accounts].map((name) => ensureAccount(client, name)));
  const failed = made.find((one) => one.status === "rejected");
  if (failed !== undefined) log.warn({ err: failed.reason }, "accounts of controllers are missing");
}

/** Whom a controller asks. */
function answerFor(
  name: string,
  options: ControllerManagerOptions,
): { answer?: NonNullable<Controller["answer"]> } {
  if (name.startsWith("certificatesigningrequest-")) {
    return { answer: answerWith(options.clusterSigning) };
  }
  if (name !== "validatingadmissionpolicy-status-controller") return {};
  return {
    async answer(question, signal) {
      const { answerTypeQuestion } = await import("./type-checker.ts");
      return answerTypeQuestion(options.client, question, signal);
    },
  };
}

/** X.509 is loaded with the first question. */
function answerWith(ca: CertificateAuthority | undefined) {
  return async (question: unknown): Promise<unknown> => {
    const { answerCertificateQuestion } = await import("./certificate-signer.ts");
    return answerCertificateQuestion(question, ca);
  };
}

const offByDefault: ReadonlySet<string> = new Set(
  controllers.filter((entry) => entry.offByDefault).map(({ name }) => name),
);

/** What may stand in --controllers. */
export function knownControllers(): string[] {
  return [...controllers.map(({ name }) => name), garbageCollectorName].sort();
}

/**
 * One of many leads: whoever holds the Lease, as long as it renews it.
 *
 * A lease is judged by when *we* last saw it change, never by its own timestamps: clocks of
 * machines may differ.
 *
 * Units   milliseconds; leaseDuration 15 s, renewDeadline 10 s, retryPeriod 2 s
 * Source  client-go tools/leaderelection/leaderelection.go, resourcelock/leaselock.go
 */

import type { Lease, LeaseSpec } from "@nanokube/api/coordination/v1";
import {
  type Clock,
  type Log,
  nullLog,
  type Random,
  sleep,
  systemClock,
  systemRandom,
} from "@nanokube/machinery";
import type { Client } from "./client.ts";
import { leases } from "./resources.ts";
import { isNotFound } from "./response-error.ts";

export interface LeaderElectionOptions {
  client: Client;
  lease: { namespace: string; name: string };
  identity: string;
  /**
   * The signal ends when leading ends; a promise given back is waited for before the
   * lease is released.
   */
  onStarted: (signal: AbortSignal) => void | Promise<void>;
  onStopped: () => void;
  onNewLeader?: ((identity: string) => void) | undefined;
  signal: AbortSignal;
  /** Give the lease up when the signal comes, so that the next one need not wait. */
  releaseOnCancel?: boolean | undefined;
  leaseDurationMs?: number | undefined;
  renewDeadlineMs?: number | undefined;
  retryPeriodMs?: number | undefined;
  clock?: Clock | undefined;
  random?: Random | undefined;
  log?: Log | undefined;
}

const jitterFactor = 1.2;

/** Resolves when leading ended, or the signal came before it began. */
export async function runLeaderElection(options: LeaderElectionOptions): Promise<void> {
  const { clock = systemClock, random = systemRandom, log = nullLog, signal } = options;
  const retryPeriodMs = options.retryPeriodMs ?? 2_000;
  const elector = createElector({ ...options, clock, log });
  const desc = `${options.lease.namespace}/${options.lease.name}`;
  try {
    log.info({ lock: desc }, "Attempting to acquire leader lease...");
    while (!(await elector.tryAcquireOrRenew())) {
      const waitMs = retryPeriodMs * (1 + random.next() * jitterFactor);
      await sleep(clock, waitMs, signal).catch(() => {});
      if (signal.aborted) return;
    }
    if (signal.aborted) return;
    log.info({ lock: desc }, "Successfully acquired lease");
    const lead = new AbortController();
    const leading = Promise.resolve(options.onStarted(lead.signal)).catch((error) => {
      log.error({ err: error }, "leading failed");
    });
    await renew(elector, { ...options, clock, retryPeriodMs });
    log.info({ lock: desc }, signal.aborted ? "stopped leading" : "Failed to renew lease");
    lead.abort();
    // A lease lost is lost at once; one given up is given up after the work under it has ended.
    if (signal.aborted) await leading;
    if (options.releaseOnCancel) await elector.release();
  } finally {
    options.onStopped();
  }
}

/** Comes back when renewing failed for renewDeadline, or the signal came. */
async function renew(
  elector: Elector,
  options: {
    clock: Clock;
    signal: AbortSignal;
    retryPeriodMs: number;
    renewDeadlineMs?: number | undefined;
  },
): Promise<void> {
  const { clock, signal, retryPeriodMs, renewDeadlineMs = 10_000 } = options;
  let deadline = clock.monotonic() + renewDeadlineMs;
  while (!signal.aborted) {
    if (await withDeadline(clock, deadline, elector.tryAcquireOrRenew)) {
      deadline = clock.monotonic() + retryPeriodMs + renewDeadlineMs;
    } else if (clock.monotonic() + retryPeriodMs >= deadline) return;
    await sleep(clock, retryPeriodMs, signal).catch(() => {});
  }
}

/** A request that hangs counts as failed at the deadline: better no leader than two. */
async function withDeadline(
  clock: Clock,
  deadline: number,
  run: (signal: AbortSignal) => Promise<boolean>,
): Promise<boolean> {
  const late = new AbortController();
  const leftMs = Math.max(0, deadline - clock.monotonic());
  const timer = clock.setTimeout(() => late.abort(new Error("context deadline exceeded")), leftMs);
  try {
    return await run(late.signal);
  } finally {
    clock.clearTimeout(timer);
  }
}

interface Elector {
  tryAcquireOrRenew(signal?: AbortSignal): Promise<boolean>;
  release(): Promise<void>;
}

function createElector(options: LeaderElectionOptions & { clock: Clock; log: Log }): Elector {
  const { client, identity, clock, log, lease: at, leaseDurationMs = 15_000 } = options;
  const api = client.resource(leases).namespace(at.namespace);
  let observed: LeaseSpec = {};
  let observedAt = Number.NEGATIVE_INFINITY;
  let lease: Lease | undefined;
  let reported: string | undefined;

  const observe = (spec: LeaseSpec) => {
    observed = spec;
    observedAt = clock.monotonic();
  };
  const leads = () => observed.holderIdentity === identity;
  const valid = () => observedAt + (observed.leaseDurationSeconds ?? 0) * 1000 > clock.monotonic();
  const report = () => {
    if (observed.holderIdentity === reported) return;
    reported = observed.holderIdentity;
    if (reported) options.onNewLeader?.(reported);
  };
  const spec = (acquireTime: string, leaseTransitions: number): LeaseSpec => ({
    holderIdentity: identity,
    leaseDurationSeconds: Math.floor(leaseDurationMs / 1000),
    acquireTime,
    renewTime: microTime(clock.now()),
    leaseTransitions,
  });
  const kept = () =>
    spec(observed.acquireTime ?? microTime(clock.now()), observed.leaseTransitions ?? 0);
  const put = async (want: LeaseSpec, signal?: AbortSignal) => {
    lease = await api.update({ ...lease, spec: want }, { signal });
    observe(want);
    return true;
  };

  const attempt = async (signal?: AbortSignal): Promise<boolean> => {
    if (leads() && valid() && lease !== undefined) {
      try {
        return await put(kept(), signal);
      } catch (error) {
        log.debug(
          { err: error },
          "Failed to update lease optimistically, falling back to slow path",
        );
      }
    }
    try {
      lease = await api.get(at.name, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const want = spec(microTime(clock.now()), 0);
      lease = await api.create({ metadata: { ...at }, spec: want }, { signal });
      observe(want);
      return true;
    }
    const current = lease.spec ?? {};
    if (!same(current, observed)) observe(current);
    if (current.holderIdentity && valid() && !leads()) return false;
    const takeOver = () => spec(microTime(clock.now()), (current.leaseTransitions ?? 0) + 1);
    return put(leads() ? kept() : takeOver(), signal);
  };

  return {
    async tryAcquireOrRenew(signal) {
      try {
        return await attempt(signal);
      } catch (error) {
        log.warn(
          { err: error, lock: `${at.namespace}/${at.name}` },
          "error retrieving or updating resource lock",
        );
        return false;
      } finally {
        report();
      }
    },
    async release() {
      if (!leads() || lease === undefined) return;
      try {
        lease = await api.get(at.name);
        const now = microTime(clock.now());
        const want: LeaseSpec = {
          holderIdentity: "",
          leaseDurationSeconds: 1,
          acquireTime: now,
          renewTime: now,
          leaseTransitions: lease.spec?.leaseTransitions ?? 0,
        };
        await api.update({ ...lease, spec: want });
        observe(want);
      } catch (error) {
        log.warn({ err: error }, "Failed to release lease");
      }
    },
  };
}

function same(a: LeaseSpec, b: LeaseSpec): boolean {
  return (
    a.holderIdentity === b.holderIdentity &&
    a.renewTime === b.renewTime &&
    a.acquireTime === b.acquireTime &&
    a.leaseTransitions === b.leaseTransitions &&
    a.leaseDurationSeconds === b.leaseDurationSeconds
  );
}

/** RFC 3339 with six decimals, as MicroTime is written. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace(/Z$/, "000Z");
}

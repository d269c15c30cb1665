/**
 * One address family's side of the proxy: takes the rule book's plan to the kernel.
 *
 * Source  kubernetes pkg/proxy/iptables/proxier.go
 */
import type { Clock, Exec, Log } from "@nanokube/machinery";
import type { ProxyHealth } from "../core/health.ts";
import type { Metrics } from "../core/metrics.ts";
import { parseSaved } from "../core/restore-text.ts";
import type { RuleBook } from "../core/rule-book.ts";
import { SyncRunner } from "../core/sync-runner.ts";
import { cleanStaleFlows } from "./conntrack.ts";
import type { Iptables } from "./iptables.ts";

export interface ProxierOptions {
  iptables: Iptables;
  book: RuleBook;
  exec: Exec;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  minSyncPeriodMs: number;
  syncPeriodMs: number;
  /** resourceVersion of a Service, for the hop's event. */
  resourceVersion(key: string): string;
  afterSync(): Promise<void>;
}

export class Proxier {
  readonly health: ProxyHealth = { lastUpdatedMs: 0, pendingSinceMs: undefined };
  readonly #options: ProxierOptions;
  readonly #runner: SyncRunner;

  constructor(options: ProxierOptions) {
    this.#options = options;
    this.#runner = new SyncRunner({
      clock: options.clock,
      minPeriodMs: options.minSyncPeriodMs,
      maxRetryMs: options.syncPeriodMs,
      run: () => this.#sync(),
    });
  }

  get book(): RuleBook {
    return this.#options.book;
  }

  /** Something changed. */
  request(): void {
    this.health.pendingSinceMs ??= this.#options.clock.now();
    this.#runner.request();
  }

  stop(): Promise<void> {
    return this.#runner.stop();
  }

  /** Someone may have flushed the rules behind our back. */
  async verify(): Promise<void> {
    if (this.book.needsFull || (await this.#options.iptables.hasCanaries())) return;
    this.#options.log.warn(
      { family: this.#options.iptables.family },
      "iptables rules were flushed",
    );
    this.book.forgetWritten();
    this.request();
  }

  /** @hop kube-proxy.rules: a Service's endpoints become rules of this node's packet filter. */
  async #sync(): Promise<boolean> {
    const { iptables, book, clock, log, metrics, exec } = this.#options;
    const { family } = iptables;
    const startMs = clock.monotonic();
    try {
      const saved = book.needsFull ? parseSaved(await iptables.save()) : undefined;
      const plan = book.plan(saved);
      if (plan.text !== undefined) await iptables.restore(plan.text);
      plan.written();
      const seconds = (clock.monotonic() - startMs) / 1000;
      metrics.synced(family, { seconds, nowMs: clock.now(), text: plan.text });
      this.health.lastUpdatedMs = clock.now();
      this.health.pendingSinceMs = undefined;
      for (const key of plan.changed) {
        const object = `services/${key}`;
        const resourceVersion = this.#options.resourceVersion(key);
        log.debug({ hop: "kube-proxy.rules", object, resourceVersion, family }, "hop");
      }
      if (plan.cleanConntrack) await cleanStaleFlows(book.ports(), family, { exec, log });
      await this.#options.afterSync();
      return true;
    } catch (error) {
      metrics.failed(family);
      log.error({ family, err: error }, "Failed to execute iptables-restore");
      return false;
    }
  }
}

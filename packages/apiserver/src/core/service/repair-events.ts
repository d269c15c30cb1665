/**
 * Events of the repair loops, as events.k8s.io has them: the first time an event, the second time
 * within six minutes a series, then silence until the series is over.
 *
 * Source  client-go tools/events/{event_recorder,event_broadcaster}.go
 */
import type { Clock, KubeObject, Random } from "@nanokube/machinery";
import type { LocalClient } from "../local-client.ts";
import type { RepairNote } from "./address-repair.ts";

export interface RepairEventDeps {
  clock: Clock;
  random: Random;
  local: LocalClient;
  /** "ipallocator-repair-controller"; with the host's name it is who reports. */
  controller: string;
  hostName: string;
}

const seriesMs = 6 * 60_000;
const nameFormat = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export class RepairEvents {
  readonly #deps: RepairEventDeps;
  readonly #known = new Map<string, { path: string; name: string; count: number; atMs: number }>();

  constructor(deps: RepairEventDeps) {
    this.#deps = deps;
  }

  async tell(regarding: KubeObject, { reason, action, note }: RepairNote): Promise<void> {
    const { clock, random, local, controller, hostName } = this.#deps;
    const { namespace, name = "", uid } = regarding.metadata ?? {};
    const now = Math.floor(clock.now());
    const key = [uid, name, reason, action].join("\n");
    for (const [old, { atMs }] of this.#known) if (now - atMs > seriesMs) this.#known.delete(old);
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace ?? "default"}/events`;
    const known = this.#known.get(key);
    const eventTime = new Date(now).toISOString().replace("Z", "000Z");
    if (known !== undefined) {
      known.count++;
      known.atMs = now;
      if (known.count > 2) return;
      const series = { count: known.count, lastObservedTime: eventTime };
      await local.merge(`${known.path}/${known.name}`, { series });
      return;
    }
    // Nanoseconds, of which the clock knows only the milliseconds.
    const stamp = BigInt(now) * 1_000_000n + BigInt(Math.floor(random.next() * 1_000_000));
    const lead = nameFormat.test(name) ? name : "service";
    const made = await local.create(path, {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: `${lead}.${stamp.toString(16)}` },
      eventTime,
      reportingController: controller,
      reportingInstance: `${controller}-${hostName}`,
      type: "Warning",
      reason,
      action,
      note,
      regarding: referTo(regarding),
    } as KubeObject);
    this.#known.set(key, { path, name: made.metadata?.name ?? "", count: 1, atMs: now });
  }
}

function referTo({ apiVersion = "", kind = "", metadata }: KubeObject): object {
  const { namespace, name, uid, resourceVersion } = metadata ?? {};
  return { apiVersion, kind, namespace, name, uid, resourceVersion };
}

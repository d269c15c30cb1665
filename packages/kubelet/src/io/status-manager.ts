/**
 * Writes pod statuses to the API server: only changes, one write per pod at a time, newest wins.
 *
 * A pod whose containers are gone and that is being deleted is finished here: its last status is
 * written, then it is deleted with grace 0 and its uid as the precondition.
 * Source  pkg/kubelet/status/status_manager.go
 */
import type { Pod, PodStatus } from "@nanokube/api/core/v1";
import { type Client, pods as podResource } from "@nanokube/client";
import { type Clock, deepEqual, type Log, StatusError, sleep } from "@nanokube/machinery";
import { isStaticPod, podKey, podName, podNamespace, podUID } from "../core/pod.ts";
import { statusPatch } from "../core/status-patch.ts";

const RETRY_MS = 1000;
const CONFLICT = 409;
const NOT_FOUND = 404;

interface Entry {
  pod: Pod;
  status: PodStatus;
  written: PodStatus | undefined;
  /** All containers are gone, volumes and cgroup too: the object may go. */
  finished: boolean;
  dirty: boolean;
  busy: boolean;
  removed: boolean;
}

export interface StatusManagerOptions {
  client: Client;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  /** Where a static pod's status goes: its mirror pod, when there is one. */
  mirrorOf(pod: Pod): Pod | undefined;
}

export class StatusManager {
  readonly #options: StatusManagerOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: StatusManagerOptions) {
    this.#options = options;
  }

  get(uid: string): PodStatus | undefined {
    return this.#entries.get(uid)?.status;
  }

  set(pod: Pod, status: PodStatus): void {
    const uid = podUID(pod);
    const entry = this.#entries.get(uid);
    if (entry === undefined) {
      const fresh: Entry = {
        pod,
        status,
        written: undefined,
        finished: false,
        dirty: true,
        busy: false,
        removed: false,
      };
      this.#entries.set(uid, fresh);
      void this.#flush(uid, fresh);
      return;
    }
    entry.pod = pod;
    if (deepEqual(entry.status, status)) return;
    entry.status = status;
    entry.dirty = true;
    void this.#flush(uid, entry);
  }

  /** There is somewhere to write to now: do it even if nothing changed. */
  rewrite(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return;
    entry.written = undefined;
    entry.dirty = true;
    void this.#flush(uid, entry);
  }

  /** Everything of the pod is gone from the node. */
  finish(pod: Pod): void {
    const uid = podUID(pod);
    const entry = this.#entries.get(uid) ?? this.#adopt(pod);
    entry.pod = pod;
    entry.finished = true;
    entry.dirty = true;
    void this.#flush(uid, entry);
  }

  /** A pod whose status is final already. */
  #adopt(pod: Pod): Entry {
    const status = pod.status ?? {};
    const entry: Entry = {
      pod,
      status,
      written: status,
      finished: false,
      dirty: false,
      busy: false,
      removed: false,
    };
    this.#entries.set(podUID(pod), entry);
    return entry;
  }

  remove(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry !== undefined) entry.removed = true;
    this.#entries.delete(uid);
  }

  async #flush(uid: string, entry: Entry): Promise<void> {
    if (entry.busy) return;
    entry.busy = true;
    try {
      while (entry.dirty && !entry.removed && !this.#options.signal.aborted) {
        entry.dirty = false;
        try {
          await this.#write(uid, entry);
        } catch (error) {
          entry.dirty = true;
          const { log, clock, signal } = this.#options;
          log.warn({ pod: podKey(entry.pod), err: String(error) }, "pod status not written");
          await sleep(clock, RETRY_MS, signal).catch(() => {});
        }
      }
    } finally {
      entry.busy = false;
    }
  }

  /** @hop kubelet.status: what became of a pod is written to the API server. */
  async #write(uid: string, entry: Entry): Promise<void> {
    const { client, log, mirrorOf } = this.#options;
    const target = isStaticPod(entry.pod) ? mirrorOf(entry.pod) : entry.pod;
    if (target === undefined) return;
    const api = client.resource(podResource).namespace(podNamespace(target));
    const { status } = entry;
    if (!deepEqual(status, entry.written)) {
      const before = entry.written ?? target.status;
      const body = {
        metadata: { uid: podUID(target) },
        status: statusPatch(status, before),
      };
      try {
        const after = await api.patch(podName(target), body, { subresource: "status" });
        const resourceVersion = after.metadata?.resourceVersion;
        const fields = { hop: "kubelet.status", object: `pods/${podKey(target)}`, resourceVersion };
        log.debug({ ...fields, phase: status.phase }, "hop");
      } catch (error) {
        if (!isGone(error)) throw error;
        this.remove(uid);
        return;
      }
      entry.written = status;
    }
    if (!entry.finished || entry.pod.metadata?.deletionTimestamp === undefined) return;
    if (isStaticPod(entry.pod)) return;
    try {
      await api.delete(podName(target), { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    this.remove(uid);
  }
}

/** Not there, or another pod of that name: nothing to write to. */
const isGone = (error: unknown): boolean =>
  error instanceof StatusError && (error.code === NOT_FOUND || error.code === CONFLICT);

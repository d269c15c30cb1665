/**
 * All other members, as this one reaches them.
 */
import type { Clock, Log } from "@nanokube/machinery";
import type { Channel, Client, Metadata } from "@nanokube/rpc";
import type { Cluster } from "../core/cluster.ts";
import type { MemberId, Message } from "../core/raft/message.ts";
import { PeerLink } from "./peer-link.ts";
import { PeerMetrics } from "./peer-metrics.ts";
import { clusterHeader, fromHeader, type Peer, toHeader } from "./peer-protocol.ts";
import type { PeerTransport } from "./raft-node.ts";

export interface PeersOptions {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly connect: (url: string) => Channel;
  readonly cluster: Cluster;
  /** Where members listen that the log has not told of yet: as the flags say. */
  readonly initialURLs: ReadonlyMap<bigint, readonly string[]>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: PeerMetrics | undefined;
  readonly onLost: (id: MemberId) => void;
  readonly onSnapshotSent: (id: MemberId, isDone: boolean) => void;
  readonly onRemoved: () => void;
}

export class Peers implements PeerTransport {
  readonly #options: PeersOptions;
  readonly #links = new Map<MemberId, PeerLink>();
  readonly metrics: PeerMetrics;

  constructor(options: PeersOptions) {
    this.#options = options;
    this.metrics = options.metrics ?? new PeerMetrics();
  }

  send(messages: readonly Message[]): void {
    const batches = new Map<MemberId, Message[]>();
    for (const message of messages) {
      if (message.type === "snapshot") {
        this.#link(message.to)?.sendSnapshot(message);
        continue;
      }
      const batch = batches.get(message.to);
      if (batch === undefined) batches.set(message.to, [message]);
      else batch.push(message);
    }
    for (const [to, batch] of batches) this.#link(to)?.send(batch);
  }

  /** The other side of calls that only one member can answer. */
  client(id: MemberId): Client<typeof Peer> | undefined {
    return this.#link(id)?.client;
  }

  get metadata(): Metadata {
    const { clusterId, memberId } = this.#options;
    return { [clusterHeader]: clusterId.toString(16), [fromHeader]: memberId.toString(16) };
  }

  /** Since when a member has been connected without a break. */
  activeSinceMs(id: MemberId): number | undefined {
    return this.#links.get(id)?.activeSinceMs;
  }

  #link(id: MemberId): PeerLink | undefined {
    const urls = this.#urlsOf(id);
    const known = this.#links.get(id);
    if (urls === undefined) return known;
    if (known !== undefined) {
      known.follow(urls);
      return known;
    }
    const { connect, clock, log, onLost, onSnapshotSent, onRemoved } = this.#options;
    const link = new PeerLink({
      connect,
      urls,
      metadata: { ...this.metadata, [toHeader]: id.toString(16) },
      clock,
      log,
      counters: this.metrics.of(id),
      onLost: () => onLost(id),
      onSnapshotSent: (isDone) => onSnapshotSent(id, isDone),
      onRemoved,
    });
    this.#links.set(id, link);
    return link;
  }

  #urlsOf(id: MemberId): readonly string[] | undefined {
    const { cluster, initialURLs } = this.#options;
    const urls = cluster.members.get(id)?.peerURLs ?? initialURLs.get(id);
    return urls?.length === 0 ? undefined : urls;
  }

  tick(): void {
    const { cluster, memberId } = this.#options;
    for (const id of cluster.members.keys()) if (id !== memberId) this.#link(id)?.keepOpen();
  }

  /** Links to those that came; goodbye to those removed. */
  followMembership(): void {
    const { cluster, memberId } = this.#options;
    for (const id of cluster.members.keys()) if (id !== memberId) this.#link(id);
    for (const [id, link] of this.#links) {
      if (!cluster.removed.has(id)) continue;
      this.#links.delete(id);
      // Its last messages have a moment to arrive: they tell it that it was removed.
      this.#options.clock.setTimeout(() => link.close(), 1000);
    }
    if (cluster.removed.has(memberId)) this.#options.onRemoved();
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
  }
}

/**
 * Do all members hold the same? Compared by HashKV, and when they do not, the CORRUPT alarm.
 *
 * Three ways, each on when asked for: before a member serves anybody (it does not start), the
 * leader every --corrupt-check-time, and the leader comparing what each took while compacting.
 * Errors  Error "ID found data inconsistency with peers" from the first
 * Source  etcd v3.6 server/etcdserver/corrupt.go
 */
import { type Channel, createClient } from "@nanokube/rpc";
import { hashKV, type KeyValueHash } from "../core/hash-kv.ts";
import { corruptAlarm } from "../core/member-state.ts";
import { type Member, write } from "./member.ts";
import { PeerChecks } from "./peer-checks.ts";

export interface CorruptionOptions {
  /** 0 is never. */
  readonly checkEveryMs: number;
  readonly compactHashCheckMs: number;
  readonly initialCheck: boolean;
}

interface PeerHash {
  readonly id: bigint;
  readonly revision: number;
  readonly compactRevision: number;
  readonly hash: number;
}

export class CorruptionCheck {
  readonly #member: Member;
  readonly #connect: (url: string) => Channel;

  constructor(member: Member, connect: (url: string) => Channel) {
    this.#member = member;
    this.#connect = connect;
  }

  /** Refuses to begin with something else than the others have. */
  async initial(): Promise<void> {
    const { state, identity, log } = this.#member;
    const mine = hashKV(state.store, 0);
    for (const peer of await this.#askPeers(mine.hashRevision)) {
      if (peer.hash === mine.hash || peer.compactRevision !== mine.compactRevision) continue;
      const pair = { mine: mine.hash, theirs: peer.hash, revision: mine.hashRevision };
      log.warn(
        { ...pair, peer: peer.id.toString(16) },
        "found different hash values from remote peer",
      );
      throw new Error(`${identity.memberId.toString(16)} found data inconsistency with peers`);
    }
  }

  async periodic(): Promise<void> {
    const { state, node, proposals } = this.#member;
    if (!node.isLeader) return;
    const mine = hashKV(state.store, 0);
    const peers = await this.#askPeers(mine.hashRevision);
    await proposals.barrier();
    const { revision, compactedRevision } = state.store;
    const corrupt = peers.find(
      (peer) =>
        peer.revision > revision ||
        peer.compactRevision > compactedRevision ||
        (peer.compactRevision === mine.compactRevision && peer.hash !== mine.hash),
    );
    if (corrupt !== undefined) await this.#alarm(corrupt.id);
  }

  /** The newest compaction whose sum every member has is the one that tells. */
  async ofCompactions(): Promise<void> {
    const { node, hashes } = this.#member;
    if (!node.isLeader) return;
    for (const mine of await hashes.newestFirst()) {
      const peers = await this.#askPeers(mine.hashRevision);
      const same = peers.filter(({ compactRevision }) => compactRevision === mine.compactRevision);
      const different = same.filter(({ hash }) => hash !== mine.hash);
      if (different.length > 0) {
        await this.#alarmMinority(mine, same);
        return;
      }
      if (same.length === this.#others.length) return;
    }
  }

  /** Whoever a majority agrees against is corrupt; without one, everybody may be. */
  async #alarmMinority(mine: KeyValueHash, peers: readonly PeerHash[]): Promise<void> {
    const { identity } = this.#member;
    const all = [{ id: identity.memberId, hash: mine.hash }, ...peers];
    const count = (hash: number) => all.filter((one) => one.hash === hash).length;
    const majority = Math.floor((this.#others.length + 1) / 2) + 1;
    const agreed = all.find(({ hash }) => count(hash) >= majority)?.hash;
    if (agreed === undefined) await this.#alarm(0n);
    else for (const { id, hash } of all) if (hash !== agreed) await this.#alarm(id);
  }

  async #alarm(memberID: bigint): Promise<void> {
    this.#member.log.error({ peer: memberID.toString(16) }, "found hash mismatch: CORRUPT");
    await write(this.#member, {
      kind: "alarm",
      request: { action: 1, memberID, alarm: corruptAlarm },
    });
  }

  get #others() {
    const { state, identity } = this.#member;
    return state.cluster.sorted.filter(({ id }) => id !== identity.memberId);
  }

  /** Those that answer: who is away, or behind, says nothing about what it holds. */
  async #askPeers(revision: number): Promise<PeerHash[]> {
    const answers = await Promise.all(
      this.#others.map(async ({ id, peerURLs }) => {
        for (const url of peerURLs) {
          const response = await this.#ask(url, revision);
          if (response !== undefined) return { id, ...response };
        }
        return undefined;
      }),
    );
    return answers.filter((answer) => answer !== undefined);
  }

  async #ask(url: string, revision: number): Promise<Omit<PeerHash, "id"> | undefined> {
    const channel = this.#connect(url);
    try {
      const options = { metadata: this.#member.peers.metadata, timeoutMs: 5000 };
      const response = await createClient(channel, PeerChecks).hashKV({ revision }, options);
      const { hash, compactRevision, header } = response;
      return { hash, compactRevision, revision: header!.revision };
    } catch (error) {
      this.#member.log.warn({ url, error: String(error) }, "cannot fetch hash from remote peer");
      return undefined;
    } finally {
      channel.close();
    }
  }
}

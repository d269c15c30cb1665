/**
 * The way from this member to one other: a stream of messages, opened again when it breaks.
 *
 * What does not go through is dropped: consensus expects that. When the other side does not read,
 * nothing is piled up for it.
 */
import type { Clock, Log } from "@nanokube/machinery";
import {
  type Channel,
  type Client,
  type ClientStream,
  createClient,
  type Metadata,
  type RpcError,
} from "@nanokube/rpc";
import type { MemberState } from "../core/member-state.ts";
import type { InstallSnapshot, Message } from "../core/raft/message.ts";
import { Peer, toWire, type WireBatch } from "./peer-protocol.ts";
import { snapshotChunks } from "./snapshot.ts";

export interface PeerLinkOptions {
  readonly connect: (url: string) => Channel;
  readonly urls: readonly string[];
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly log: Log;
  /** The stream broke, or the peer does not read: what was under way may be lost. */
  readonly onLost: () => void;
  readonly onSnapshotSent: (isDone: boolean) => void;
  /** The peer says that this member was removed from the cluster. */
  readonly onRemoved: () => void;
}

/** Batches under way that the peer has not read: more than this is dropped. */
const unreadMax = 256;
const retryMs = 100;

export const removedText = "the member has been permanently removed from the cluster";

export class PeerLink {
  readonly #options: PeerLinkOptions;
  #urls: readonly string[];
  #urlAt = 0;
  #channel: Channel | undefined;
  #client: Client<typeof Peer> | undefined;
  #stream: ClientStream<WireBatch, unknown> | undefined;
  #unread = 0;
  #isClosed = false;
  #retryAtMs = 0;
  /** When the peer was first heard on this stream; undefined while it is not connected. */
  activeSinceMs: number | undefined;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.#urls = options.urls;
  }

  /** The peer has moved. */
  follow(urls: readonly string[]): void {
    if (urls.join() === this.#urls.join()) return;
    this.#urls = urls;
    this.#urlAt = 0;
    this.#drop();
  }

  get client(): Client<typeof Peer> {
    if (this.#client === undefined) {
      this.#channel = this.#options.connect(this.#urls[this.#urlAt % this.#urls.length]!);
      this.#client = createClient(this.#channel, Peer);
    }
    return this.#client;
  }

  send(messages: readonly Message[]): void {
    if (this.#isClosed) return;
    const stream = this.#stream ?? this.#open();
    if (stream === undefined) return;
    if (this.#unread > unreadMax) {
      this.#options.onLost();
      return;
    }
    if (stream.write({ messages: messages.map(toWire) })) return;
    if (this.#unread++ > 0) return;
    stream.drained().then(() => {
      this.#unread = 0;
    });
  }

  /** Also without anything to say: being connected is a sign of health. */
  keepOpen(): void {
    if (!this.#isClosed && this.#stream === undefined) this.#open();
  }

  #open(): ClientStream<WireBatch, unknown> | undefined {
    const { clock, metadata } = this.#options;
    if (clock.monotonic() < this.#retryAtMs) return undefined;
    this.#retryAtMs = clock.monotonic() + retryMs;
    const stream = this.client.messages({ metadata });
    this.#stream = stream;
    this.#unread = 0;
    this.#watch(stream);
    return stream;
  }

  async #watch(stream: ClientStream<WireBatch, unknown>): Promise<void> {
    const { log, clock, onRemoved } = this.#options;
    try {
      // One answer, when the peer has found this member to be of its cluster.
      for await (const _ of stream.responses) {
        if (this.#stream === stream) this.activeSinceMs ??= clock.monotonic();
      }
    } catch (error) {
      const { details = String(error) } = error as RpcError;
      if (details.includes(removedText)) onRemoved();
      const wasActive = this.activeSinceMs !== undefined;
      const level = wasActive ? "warn" : "debug";
      if (!this.#isClosed) log[level]({ urls: this.#urls, error: details }, "lost a peer");
    }
    if (this.#stream !== stream || this.#isClosed) return;
    this.#urlAt++;
    this.#drop();
    this.#options.onLost();
  }

  #drop(): void {
    this.#stream?.cancel();
    this.#stream = undefined;
    this.activeSinceMs = undefined;
    // Another URL of the same member may work where this one does not.
    if (this.#urls.length === 1) return;
    this.#channel?.close();
    this.#channel = undefined;
    this.#client = undefined;
  }

  /** A state is big: it has a stream of its own, and waits for the peer to take it. */
  async sendSnapshot(message: InstallSnapshot): Promise<void> {
    const { metadata, log, onSnapshotSent } = this.#options;
    const { snapshot } = message;
    const stream = this.client.snapshot({ metadata });
    try {
      const { voters, learners } = snapshot.membership;
      const none = Buffer.alloc(0);
      const head = { head: toWire(message), chunk: none };
      stream.write({ ...head, voters: [...voters], learners: [...learners] });
      for await (const chunk of snapshotChunks(snapshot.content as MemberState, snapshot.term)) {
        if (!stream.write({ chunk })) await stream.drained();
      }
      stream.end();
      for await (const _ of stream.responses);
      onSnapshotSent(true);
    } catch (error) {
      log.warn({ urls: this.#urls, error: String(error) }, "cannot send a snapshot");
      stream.cancel();
      onSnapshotSent(false);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#stream?.cancel();
    this.#channel?.close();
  }
}

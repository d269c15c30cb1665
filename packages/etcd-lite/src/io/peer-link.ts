/**
 * The way from this member to one other: a stream of messages, opened again when it breaks.
 *
 * What does not go through is dropped: consensus expects that. When the other side does not read,
 * nothing is piled up for it.
 */
import type { Clock, Log } from "@nanokube/machinery";
import {
  type ByteStream,
  type Channel,
  type Client,
  createClient,
  type Metadata,
  type RpcError,
} from "@nanokube/rpc";
import type { MemberState } from "../core/member-state.ts";
import { encodeMessages } from "../core/peer-frames.ts";
import type { InstallSnapshot, Message } from "../core/raft/message.ts";
import type { PeerCounters } from "./peer-metrics.ts";
import { messagesProtocol, Peer } from "./peer-protocol.ts";
import { snapshotChunks } from "./snapshot.ts";

export interface PeerLinkOptions {
  readonly connect: (url: string) => Channel;
  readonly urls: readonly string[];
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: PeerCounters;
  /** The stream broke, or the peer does not read: what was under way may be lost. */
  readonly onLost: () => void;
  readonly onSnapshotSent: (isDone: boolean) => void;
  /** The peer says that this member was removed from the cluster. */
  readonly onRemoved: () => void;
}

/** What the peer has not read: beyond this, nothing is added. */
const unsentMaxBytes = 64 << 20;
/** Messages kept while the stream is being opened: of the rest consensus thinks as lost. */
const earlyMax = 64;
const retryMs = 100;

export const removedText = "the member has been permanently removed from the cluster";

/** A round trip is measured once a while, as etcd does; at first soon. */
const probeEveryMs = 30_000;
const firstProbeMs = 1000;

/** All of it with one call of the system. */
function writeAll(stream: ByteStream, pieces: readonly Uint8Array[]): number {
  let sizeBytes = 0;
  if (pieces.length > 1) stream.cork();
  for (const piece of pieces) {
    stream.write(piece);
    sizeBytes += piece.length;
  }
  if (pieces.length > 1) stream.uncork();
  return sizeBytes;
}

export class PeerLink {
  readonly #options: PeerLinkOptions;
  #urls: readonly string[];
  #urlAt = 0;
  #channel: Channel | undefined;
  #client: Client<typeof Peer> | undefined;
  #stream: ByteStream | undefined;
  /** What is to be sent as soon as there is a stream; undefined while none is being opened. */
  #early: Uint8Array[] | undefined;
  #isClosed = false;
  #retryAtMs = 0;
  #probeAtMs = Number.POSITIVE_INFINITY;
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

  get #connected(): Channel {
    this.#channel ??= this.#options.connect(this.#urls[this.#urlAt % this.#urls.length]!);
    return this.#channel;
  }

  get client(): Client<typeof Peer> {
    this.#client ??= createClient(this.#connected, Peer);
    return this.#client;
  }

  send(messages: readonly Message[]): void {
    if (this.#isClosed) return;
    const stream = this.#stream;
    const { counters, onLost } = this.#options;
    if (stream !== undefined) {
      if (stream.writableLength <= unsentMaxBytes) {
        counters.sentBytes += writeAll(stream, encodeMessages(messages));
        return;
      }
      counters.sentFailures += messages.length;
      onLost();
      return;
    }
    this.keepOpen();
    if (this.#early !== undefined && this.#early.length < earlyMax) {
      this.#early.push(...encodeMessages(messages));
    } else counters.sentFailures += messages.length;
  }

  /** Also without anything to say: being connected is a sign of health. */
  keepOpen(): void {
    if (this.#isClosed || this.#early !== undefined) return;
    if (this.#stream !== undefined) {
      this.#probe();
      return;
    }
    const { clock } = this.#options;
    if (clock.monotonic() < this.#retryAtMs) return;
    this.#retryAtMs = clock.monotonic() + retryMs;
    const early: Uint8Array[] = [];
    this.#early = early;
    const headers = this.#options.metadata as Record<string, string>;
    this.#connected.upgrade({ protocol: messagesProtocol, headers }).then(
      (stream) => {
        // Meanwhile the peer may have moved, or this link may be over.
        if (this.#early === early) this.#opened(stream, early);
        else stream.destroy();
      },
      (error: RpcError) => {
        if (this.#early === early) this.#lost(error.details ?? String(error));
      },
    );
  }

  /** How long a question and its answer take. */
  #probe(): void {
    const { clock, counters } = this.#options;
    const sinceMs = clock.monotonic();
    if (sinceMs < this.#probeAtMs) return;
    this.#probeAtMs = sinceMs + probeEveryMs;
    this.client.members({}, { timeoutMs: probeEveryMs }).then(
      () => counters.answered(clock.monotonic() - sinceMs),
      () => {}, // The stream tells whether the peer is there.
    );
  }

  #opened(stream: ByteStream, early: readonly Uint8Array[]): void {
    this.#early = undefined;
    this.#stream = stream;
    const { clock, counters } = this.#options;
    this.activeSinceMs = clock.monotonic();
    this.#probeAtMs = this.activeSinceMs + firstProbeMs;
    counters.isActive = true;
    counters.sentBytes += writeAll(stream, early);
    stream.on("data", () => {}); // It says nothing: but only who reads hears of the end.
    stream.on("end", () => stream.destroy());
    stream.on("close", () => {
      if (this.#stream === stream) this.#lost("the stream has ended");
    });
  }

  #lost(error: string): void {
    const { log, onRemoved, onLost } = this.#options;
    if (error.includes(removedText)) onRemoved();
    const level = this.activeSinceMs === undefined ? "debug" : "warn";
    if (!this.#isClosed) log[level]({ urls: this.#urls, error }, "lost a peer");
    const { counters } = this.#options;
    if (counters.isActive === true) {
      counters.isActive = false;
      counters.disconnects++;
    }
    counters.sentFailures += this.#early?.length ?? 0;
    this.#urlAt++;
    this.#drop();
    if (!this.#isClosed) onLost();
  }

  #drop(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#early = undefined;
    this.activeSinceMs = undefined;
    stream?.destroy();
    // Another URL of the same member may work where this one does not.
    if (this.#urls.length === 1) return;
    this.#channel?.close();
    this.#channel = undefined;
    this.#client = undefined;
  }

  /** A state is big: it has a stream of its own, and waits for the peer to take it. */
  async sendSnapshot(message: InstallSnapshot): Promise<void> {
    const { metadata, log, onSnapshotSent, counters, clock } = this.#options;
    const sinceMs = clock.monotonic();
    counters.snapshotsSending = (counters.snapshotsSending ?? 0) + 1;
    const { snapshot } = message;
    const stream = this.client.snapshot({ metadata });
    try {
      const { index, term: logTerm } = snapshot;
      const [voters, learners] = [
        [...snapshot.membership.voters],
        [...snapshot.membership.learners],
      ];
      const head = { from: message.from, term: message.term, index, logTerm, voters, learners };
      stream.write({ head });
      for await (const chunk of snapshotChunks(snapshot.content as MemberState, snapshot.term)) {
        counters.sentBytes += chunk.length;
        if (!stream.write({ chunk })) await stream.drained();
      }
      stream.end();
      for await (const _ of stream.responses);
      counters.snapshotSent(true, clock.monotonic() - sinceMs);
      onSnapshotSent(true);
    } catch (error) {
      log.warn({ urls: this.#urls, error: String(error) }, "cannot send a snapshot");
      stream.cancel();
      counters.snapshotSent(false, clock.monotonic() - sinceMs);
      onSnapshotSent(false);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#stream?.destroy();
    this.#channel?.close();
  }
}

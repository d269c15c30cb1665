/**
 * The Watch service: many watches on one stream.
 *
 * A stream whose peer does not read is blocked: its watches fall behind and catch up from the store
 * when it drains, so that a slow client costs no memory.
 * Source  etcd v3.6 server/etcdserver/api/v3rpc/watch.go
 */
import type { TimerHandle } from "@nanokube/machinery";
import { codes, etcd, type Handlers, type Init, RpcError, type ServerStream } from "@nanokube/rpc";
import type { Identity } from "../core/auth/auth-store.ts";
import { keyText } from "../core/bytes.ts";
import { errors } from "../core/errors.ts";
import { isTombstone, type KeyValue, spanOf } from "../core/key-value.ts";
import { toAnswer } from "../core/kv-requests.ts";
import type { Delivery, WatchStream } from "../core/watch-hub.ts";
import { readAs } from "./identify.ts";
import { header, type Member } from "./member.ts";

type Call = ServerStream<etcd.WatchRequest, etcd.WatchResponse>;

/** The id of answers that belong to no watch. */
const noWatchId = -1;

export function createWatchService(member: Member): Handlers<typeof etcd.Watch> {
  return {
    watch: async (call) => {
      const session = new WatchSession(member, call);
      try {
        await call.forEachRequest((request) => session.receive(request));
        // The client said that it asks no more; what it asked for goes on.
        await session.untilAborted();
      } finally {
        session.close();
      }
      throw new RpcError(codes.CANCELLED, "etcdserver: watch canceled");
    },
  };
}

interface WatchOptions {
  readonly prevKv: boolean;
  readonly fragment: boolean;
  /** Told nothing since the last tick: then the tick tells the revision. */
  isQuiet: boolean;
  readonly progressNotify: boolean;
}

class WatchSession {
  readonly #member: Member;
  readonly #call: Call;
  readonly #stream: WatchStream;
  readonly #watches = new Map<number, WatchOptions>();
  #isBlocked = false;
  #isCatchingUp = false;
  #isClosed = false;
  #ticker: TimerHandle | undefined;

  constructor(member: Member, call: Call) {
    this.#member = member;
    this.#call = call;
    this.#stream = member.state.hub.open(
      (delivery) => this.#send(delivery),
      () => setImmediate(() => this.#catchUp()),
    );
  }

  untilAborted(): Promise<void> {
    const { signal } = this.#call;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
  }

  close(): void {
    this.#isClosed = true;
    this.#stream.close();
    if (this.#ticker !== undefined) this.#member.clock.clearTimeout(this.#ticker);
  }

  receive(request: etcd.WatchRequest): void | Promise<void> {
    if (request.createRequest !== undefined) return this.#createAs(request.createRequest);
    else if (request.cancelRequest !== undefined) this.#cancel(request.cancelRequest.watchId);
    else if (request.progressRequest !== undefined) this.#progressAll();
  }

  /** Who may not read the keys is refused, in words of the watch: the stream lives on. */
  #createAs(request: etcd.WatchCreateRequest): void | Promise<void> {
    const { auth } = this.#member.state;
    if (!auth.enabled || request.startRevision < 0) return this.#create(request);
    const key = request.key.length === 0 ? "\0" : keyText(request.key);
    const check = (who: Identity) => auth.checkRange(who, key, keyText(request.rangeEnd));
    const run = () => this.#create(request);
    const refuse = (error: unknown) => {
      if (!(error instanceof RpcError)) throw error;
      this.#refuse(refusalText(error));
    };
    try {
      const done = readAs(this.#member, this.#call, { check, run });
      return done instanceof Promise ? done.catch(refuse) : undefined;
    } catch (error) {
      refuse(error);
    }
  }

  #create(request: etcd.WatchCreateRequest): void {
    if (request.startRevision < 0) {
      this.#refuse(errors.Compacted.text);
      return;
    }
    const key = request.key.length === 0 ? "\0" : keyText(request.key);
    const id = this.#stream.create({
      ...spanOf(key, keyText(request.rangeEnd)),
      id: request.watchId,
      startRevision: request.startRevision,
      noPut: request.filters.includes(0),
      noDelete: request.filters.includes(1),
    });
    if (typeof id !== "number") {
      this.#refuse(id.refused);
      return;
    }
    const { prevKv, fragment, progressNotify } = request;
    this.#watches.set(id, { prevKv, fragment, progressNotify, isQuiet: progressNotify });
    if (progressNotify) this.#armTicker();
    this.#write({ header: header(this.#member), watchId: id, created: true });
    this.#catchUp();
  }

  #refuse(cancelReason: string): void {
    const watchId = noWatchId;
    const flags = { created: true, canceled: true };
    this.#write({ header: header(this.#member), watchId, ...flags, cancelReason });
  }

  #cancel(id: number): void {
    if (!this.#stream.cancel(id)) return;
    this.#watches.delete(id);
    this.#write({ header: header(this.#member), watchId: id, canceled: true });
  }

  #progressAll(): void {
    if (this.#stream.isEmpty || !this.#stream.isAllSynced()) return;
    this.#write({ header: header(this.#member), watchId: noWatchId });
  }

  #armTicker(): void {
    if (this.#ticker !== undefined) return;
    const { clock, limits, random } = this.#member;
    // Watches that began together must not all be told together.
    const waitMs = limits.progressNotifyMs * (1 + random.next() / 10);
    this.#ticker = clock.setTimeout(() => {
      this.#ticker = undefined;
      this.#progressTick();
      if (!this.#isClosed) this.#armTicker();
    }, waitMs);
  }

  #progressTick(): void {
    for (const [id, watch] of this.#watches) {
      if (!watch.progressNotify) continue;
      if (watch.isQuiet && this.#stream.isSynced(id)) {
        this.#write({ header: header(this.#member), watchId: id });
      }
      watch.isQuiet = true;
    }
  }

  /** Sends what was missed in portions, one a turn of the event loop. */
  #catchUp(): void {
    if (this.#isClosed || this.#isBlocked || this.#isCatchingUp || this.#stream.isCaughtUp) return;
    for (const delivery of this.#stream.catchUp()) this.#send(delivery);
    if (this.#stream.isCaughtUp) return;
    this.#isCatchingUp = true;
    setImmediate(() => {
      this.#isCatchingUp = false;
      this.#catchUp();
    });
  }

  #send({ watchId, revision, changes, compactRevision }: Delivery): void {
    const watch = this.#watches.get(watchId);
    if (watch === undefined) return;
    if (compactRevision !== undefined) {
      const ended = { canceled: true, compactRevision };
      this.#write({ header: { ...header(this.#member), revision: 0 }, watchId, ...ended });
      return;
    }
    watch.isQuiet = false;
    this.#member.metrics.count("events", changes.length);
    const events = changes.map((change) => this.#event(change, watch.prevKv));
    const response = { header: header(this.#member, revision), watchId, events };
    if (!watch.fragment) this.#write(response);
    else for (const part of this.#fragments(response)) this.#write(part);
  }

  #event(change: KeyValue, withPrevious: boolean): Init<etcd.Event> {
    const isDelete = isTombstone(change);
    const event = { type: isDelete ? 1 : 0, kv: toAnswer(change) };
    if (!withPrevious || change.createRevision === change.modRevision) return event;
    const previous = this.#previous(change);
    return previous === undefined ? event : { ...event, prevKv: toAnswer(previous) };
  }

  #previous({ key, modRevision }: KeyValue): KeyValue | undefined {
    const { store } = this.#member.state;
    const revision = modRevision - 1;
    if (revision < store.compactedRevision || revision < 1) return undefined;
    this.#member.state.tally.range();
    this.#member.state.tally.end();
    return store.range({ key, end: undefined, revision }).kvs[0];
  }

  #fragments(response: Whole): Init<etcd.WatchResponse>[] {
    const limit = this.#member.limits.requestBytesMax + 512 * 1024;
    const sizes = response.events.map((event) => etcd.Event.encode(event).length + 6);
    const total = sizes.reduce((sum, size) => sum + size, 64);
    if (total < limit || response.events.length < 2) return [response];
    const parts: Init<etcd.WatchResponse>[] = [];
    let events: Init<etcd.Event>[] = [];
    let sizeBytes = 64;
    response.events.forEach((event, i) => {
      if (events.length > 0 && sizeBytes + sizes[i]! >= limit) {
        parts.push({ ...response, events, fragment: true });
        events = [];
        sizeBytes = 64;
      }
      events.push(event);
      sizeBytes += sizes[i]!;
    });
    parts.push({ ...response, events });
    return parts;
  }

  #write(response: Init<etcd.WatchResponse>): void {
    if (this.#isClosed || this.#call.write(response) || this.#isBlocked) return;
    this.#isBlocked = true;
    this.#stream.block();
    this.#call.drained().then(() => {
      this.#isBlocked = false;
      if (this.#isClosed) return;
      this.#stream.unblock();
      this.#catchUp();
    });
  }
}

/** etcd tells these as Go prints them. */
const refusedCodes: Readonly<Record<number, string>> = {
  [codes.UNAUTHENTICATED]: "Unauthenticated",
  [codes.INVALID_ARGUMENT]: "InvalidArgument",
  [codes.PERMISSION_DENIED]: "PermissionDenied",
};

function refusalText({ code, details }: RpcError): string {
  return `rpc error: code = ${refusedCodes[code] ?? code} desc = ${details}`;
}

interface Whole {
  readonly header: etcd.ResponseHeader;
  readonly watchId: number;
  readonly events: readonly Init<etcd.Event>[];
}

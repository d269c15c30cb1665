/**
 * WATCH: every change of a selection, framed once for all who watch in the same form.
 *
 * Start      resourceVersion absent or "0": what is here as ADDED, then changes; N: changes after
 *            N;
 *            sendInitialEvents: what is here, then a bookmark that says the initial events ended
 * Slow       a watcher that holds more than `pendingBytesMax` unread is cut; it comes back with a
 *            list
 * Source     apiserver pkg/endpoints/handlers/watch.go, pkg/storage/cacher/cache_watcher.go
 */
import {
  encodeEnvelope,
  encodeProtobuf,
  expired,
  internalError,
  isExpired,
  StatusError,
} from "@nanokube/machinery";
import {
  type CacheEvent,
  type CacheWatcher,
  type EventType,
  eventFor,
} from "../cache/resource-cache.ts";
import type { StoredObject } from "../cache/stored-object.ts";
import type { Tally } from "../histogram.ts";
import { scopeOf } from "../request-info.ts";
import type { ApiResponse, RestContext, Sink } from "./context.ts";
import { namespaceOf } from "./context.ts";
import {
  checkFieldSelector,
  type ListOptions,
  parseListOptions,
  versionToWatch,
} from "./list-options.ts";
import { objectBytes } from "./object-bytes.ts";
import { partialMetadata } from "./partial-metadata.ts";
import { fieldLabels, knownFields, reach } from "./read.ts";
import { eventNow, type Reading, readEvent } from "./reading.ts";
import { tableOf } from "./table.ts";
import { watchFrame } from "./watch-frame.ts";
import { interestOf, selection } from "./watch-selection.ts";

const pendingBytesMax = 16 * 1024 * 1024;
const bookmarkMs = 60_000;
const encoder = new TextEncoder();
const partialType = "io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata";

export async function watch(context: RestContext): Promise<ApiResponse> {
  const { request, server } = context;
  const options = parseListOptions(request.query, true, server.gates.isOn("WatchList"));
  checkFieldSelector(options, knownFields(context), fieldLabels(context));
  const session = new WatchSession(context, options);
  await session.reach();
  const start = await session.prepare();
  const type =
    context.output.format === "protobuf"
      ? "application/vnd.kubernetes.protobuf;stream=watch"
      : "application/json";
  return {
    status: 200,
    headers: { "content-type": type },
    body: (sink) => session.run(sink, start),
  };
}

/** One watcher: its selection, its wire form, its connection. */
class WatchSession implements CacheWatcher {
  readonly interest: string | undefined;
  readonly #context: RestContext;
  readonly #options: ListOptions;
  readonly #matches: (object: StoredObject) => boolean;
  /** Under which the events of its form are shared. */
  readonly #names: Readonly<Record<EventType, string>>;
  readonly #frameBytes: Tally;
  readonly #startedMs: number;
  #sink: Sink | undefined;
  #backlog: CacheEvent[] = [];
  #stop: (() => void)[] = [];
  #sentHeaders = false;
  #sentRevision = 0;
  /** Told of is only what is later: who has written knows a version that the cache has yet to see. */
  #after = 0;
  /** Settles when all events so far are handed on; absent when they are. */
  #behind: Promise<void> | undefined;
  /** What was asked for is forgotten, or yet to come: the only event is an error that says so. */
  #expired: StatusError | undefined;

  constructor(context: RestContext, options: ListOptions) {
    this.#context = context;
    this.#options = options;
    this.#matches = selection(context, options);
    this.interest = interestOf(context);
    const { output, resource } = context;
    const form = `${output.format} ${output.as} ${resource.apiVersion}`;
    const [ADDED, MODIFIED, DELETED] = [`ADDED ${form}`, `MODIFIED ${form}`, `DELETED ${form}`];
    this.#names = { ADDED, MODIFIED, DELETED };
    this.#frameBytes = resource.cache.counts.framesOf(resource.info.version);
    this.#startedMs = context.server.clock.monotonic();
  }

  /** A version that is not there in time is an event, for the watch has begun already. */
  async reach(): Promise<void> {
    const { resourceVersion: version, sendInitialEvents } = this.#options;
    if (version !== "" && (!sendInitialEvents || versionToWatch(version) === 0)) return;
    try {
      await reach(this.#context, version);
    } catch (error) {
      if (version === "" || !(error instanceof StatusError)) throw error;
      this.#expired = error;
    }
  }

  /** Joins the cache before anything is answered, so that errors are plain answers. */
  async prepare(): Promise<StoredObject[]> {
    const { resource, server } = this.#context;
    const version = this.#options.resourceVersion;
    if (this.#expired !== undefined) return [];
    const fromNow =
      version === "" || this.#options.sendInitialEvents === true || versionToWatch(version) === 0;
    if (fromNow) {
      const skip = this.#options.sendInitialEvents === false;
      const initial = skip ? [] : [...resource.cache.scan(this.#prefix())];
      resource.cache.counts.initialEvents += initial.length;
      this.#sentRevision = server.store.revision;
      this.#stop.push(resource.cache.watch(this));
      if (resource.reading === undefined) return initial.filter(this.#matches);
      return this.#readInitial(resource.reading, initial);
    }
    const revision = versionToWatch(version);
    this.#sentRevision = revision;
    this.#after = revision;
    try {
      this.#stop.push(resource.cache.watchSince(revision, this));
    } catch (error) {
      if (!isExpired(error)) throw error;
      this.#expired = error as StatusError;
    }
    return [];
  }

  async #readInitial(reading: Reading, initial: readonly StoredObject[]): Promise<StoredObject[]> {
    try {
      return (await reading.all(initial)).filter(this.#matches);
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  run(sink: Sink, initial: readonly StoredObject[]): void {
    this.#sink = sink;
    if (this.#expired !== undefined) {
      this.#write(this.#frame("ERROR", this.#encodeStatus(this.#expired.status)));
      this.#end();
      return;
    }
    const { request, server } = this.#context;
    for (const object of initial) this.#send("ADDED", object, undefined);
    if (this.#sink === undefined) return;
    if (this.#options.sendInitialEvents && this.#options.allowWatchBookmarks) this.#endInitial();
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const event of backlog) this.onEvent(event);
    const { clock, random, limits } = server;
    const usual = limits.watchTimeoutMinSeconds * (1 + random.next());
    const seconds = this.#options.timeoutSeconds ?? usual;
    const timer = clock.setTimeout(() => this.#end(), seconds * 1000);
    this.#stop.push(() => clock.clearTimeout(timer));
    if (this.#options.allowWatchBookmarks) this.#scheduleBookmark(seconds);
    if (request.signal.aborted) {
      this.#leave();
      return;
    }
    const onAbort = () => this.#leave();
    request.signal.addEventListener("abort", onAbort, { once: true });
    this.#stop.push(() => request.signal.removeEventListener("abort", onAbort));
  }

  /** What came since waits in the backlog, and is later than what was listed. */
  #endInitial(): void {
    this.#bookmark(this.#sentRevision, { "k8s.io/initial-events-end": "true" });
    const { info, resource, server } = this.#context;
    const tally = resource.cache.counts.initialOf(resource.info.version, scopeOf(info));
    tally.observe((server.clock.monotonic() - this.#startedMs) / 1000);
  }

  onEvent(event: CacheEvent): void {
    if (event.revision <= this.#after) return;
    if (this.#sink === undefined) {
      this.#backlog.push(event);
      return;
    }
    const { reading } = this.#context.resource;
    if (reading === undefined) {
      this.#deliver(event);
      return;
    }
    const now = this.#behind === undefined ? this.#readNow(reading, event) : undefined;
    if (now !== undefined) this.#deliver(now);
    else this.#deliverLater(reading, event);
  }

  #deliver(event: CacheEvent): void {
    const seen = eventFor(event, this.#matches);
    this.#sentRevision = event.revision;
    if (seen !== undefined) this.#send(seen.type, seen.object, event);
  }

  #readNow(reading: Reading, event: CacheEvent): CacheEvent | undefined {
    try {
      return eventNow(reading, event);
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** A webhook converts what happened; what happens meanwhile waits behind it. */
  #deliverLater(reading: Reading, event: CacheEvent): void {
    const before = this.#behind ?? Promise.resolve();
    const turn = before
      .then(async () => {
        if (this.#sink !== undefined) this.#deliver(await readEvent(reading, event));
      })
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        if (this.#behind === turn) this.#behind = undefined;
      });
    this.#behind = turn;
  }

  /** What cannot be shown ends the watch: the next one begins with a list that says why. */
  #fail(error: unknown): void {
    if (this.#sink === undefined) return;
    const { status } = error instanceof StatusError ? error : internalError(error as Error);
    this.#write(this.#frame("ERROR", this.#encodeStatus(status)));
    this.#end();
  }

  onReset(): void {
    if (this.#sink === undefined) return;
    const { status } = expired("too old resource version");
    this.#write(this.#frame("ERROR", this.#encodeStatus(status)));
    this.#end();
  }

  #prefix(): string {
    const { resource } = this.#context;
    const namespace = namespaceOf(this.#context);
    return resource.info.namespaced && namespace !== "" ? `${namespace}/` : "";
  }

  #send(type: EventType, object: StoredObject, event: CacheEvent | undefined): void {
    const { output } = this.#context;
    // Nothing to make of one object: upstream ends the watch without a word.
    if (output.as === "PartialObjectMetadataList") {
      this.#end();
      return;
    }
    if (output.as === "Table") {
      this.#write(this.#tableFrame(type, object));
      return;
    }
    if (event === undefined) {
      this.#write(this.#frame(type, this.#encode(object)));
      return;
    }
    const name = this.#names[type];
    event.frames ??= new Map();
    let frame = event.frames.get(name);
    if (frame === undefined) {
      frame = this.#frame(type, this.#encode(object));
      event.frames.set(name, frame);
    }
    this.#write(frame);
  }

  #encode(object: StoredObject): Uint8Array {
    const { output, resource } = this.#context;
    const format = output.format === "protobuf" ? "protobuf" : "json";
    if (output.as === "") return objectBytes(resource, object, format);
    return resource.cache.encodings.get(object, `partial ${format} ${output.asVersion}`, () => {
      const partial = partialMetadata(object.readonlyTree(), output.asVersion);
      if (format === "json") return encoder.encode(JSON.stringify(partial));
      return encodeEnvelope(
        partial.apiVersion!,
        partial.kind!,
        encodeProtobuf(partialType, partial),
      );
    });
  }

  #tableFrame(type: EventType, object: StoredObject): Uint8Array {
    const rows = [{ tree: object.tree(), bytes: undefined }];
    const meta = { resourceVersion: String(object.revision) };
    const table = tableOf(this.#context, rows, meta, !this.#sentHeaders);
    this.#sentHeaders = true;
    return this.#frame(type, encoder.encode(JSON.stringify(table)));
  }

  #frame(type: string, object: Uint8Array): Uint8Array {
    return watchFrame(this.#context.output.format, type, object);
  }

  #encodeStatus(status: StatusError["status"]): Uint8Array {
    if (this.#context.output.format !== "protobuf") return encoder.encode(JSON.stringify(status));
    const type = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";
    return encodeEnvelope("v1", "Status", encodeProtobuf(type, status));
  }

  /** All events up to the store's revision have been handed to this watcher, and told of or not. */
  #toldRevision(): number {
    if (this.#behind !== undefined) return this.#sentRevision;
    return Math.max(this.#sentRevision, this.#context.server.store.revision);
  }

  #bookmark(revision: number, annotations?: Record<string, string>): void {
    const { output, resource } = this.#context;
    const metadata = { resourceVersion: String(revision), ...(annotations ? { annotations } : {}) };
    if (output.as === "Table") {
      const tree = { kind: resource.info.kind, apiVersion: resource.apiVersion, metadata };
      const table = tableOf(
        this.#context,
        [{ tree, bytes: undefined }],
        { resourceVersion: String(revision) },
        !this.#sentHeaders,
      );
      this.#sentHeaders = true;
      this.#write(this.#frame("BOOKMARK", encoder.encode(JSON.stringify(table))));
      return;
    }
    const tree =
      output.as === ""
        ? { kind: resource.info.kind, apiVersion: resource.apiVersion, metadata }
        : partialMetadata({ metadata }, output.asVersion);
    const type = output.as === "" ? resource.typeName : partialType;
    const bytes =
      output.format === "protobuf" && type !== undefined
        ? encodeEnvelope(tree.apiVersion!, tree.kind!, encodeProtobuf(type, tree))
        : encoder.encode(JSON.stringify(tree));
    this.#write(this.#frame("BOOKMARK", bytes));
  }

  /** About once a minute, and shortly before the end, so that the next watch starts late. */
  #scheduleBookmark(timeoutSeconds: number): void {
    const { clock } = this.#context.server;
    const startedMs = clock.monotonic();
    const next = (): void => {
      const leftMs = timeoutSeconds * 1000 - (clock.monotonic() - startedMs);
      const inMs = leftMs > bookmarkMs ? bookmarkMs : Math.max(leftMs - 2_000, 0);
      if (leftMs <= 2_000) return;
      const timer = clock.setTimeout(() => {
        this.#bookmark(this.#toldRevision());
        next();
      }, inMs);
      this.#stop.push(() => clock.clearTimeout(timer));
      if (this.#stop.length > 64) this.#stop.splice(8, 32);
    };
    next();
  }

  #write(frame: Uint8Array): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    if (sink.pendingBytes > pendingBytesMax) {
      this.#context.resource.cache.counts.watchersCut++;
      this.#leave();
      sink.destroy();
      return;
    }
    this.#frameBytes.observe(frame.length);
    sink.write(frame);
  }

  #end(): void {
    const sink = this.#sink;
    this.#leave();
    sink?.end();
  }

  #leave(): void {
    this.#sink = undefined;
    const stop = this.#stop;
    this.#stop = [];
    for (const undo of stop) undo();
  }
}

/**
 * Lists of many keys.
 *
 * What is long is put together from a fork of the store, some keys in each turn of the event loop,
 * so that nobody else waits while it is made; each portion is encoded at once. Versions that go out
 * as they are held are copied as bytes, of a list that is not long as well.
 */
import { etcd, type Init, inPieces } from "@nanokube/rpc";
import { keyText } from "../core/bytes.ts";
import { type KeyValue, spanOf } from "../core/key-value.ts";
import { rangeFilters, sortKeyValues, toAnswer } from "../core/kv-requests.ts";
import type { MvccStore } from "../core/mvcc-store.ts";
import { header, type Member } from "./member.ts";

const longKeys = 2000;
const portionKeys = 500;
/** From so many keys on the answer's parts are worth their own pieces. */
const manyKeys = 32;

type Request = etcd.RangeRequest;
type Response = Init<etcd.RangeResponse>;

/** The answer to a list of many keys; undefined when it is none, and for what is refused. */
export function executeLongRange(
  member: Member,
  r: Request,
): Response | Promise<Response> | undefined {
  const { store } = member.state;
  if (r.countOnly || r.rangeEnd.length === 0 || store.scan === undefined) return undefined;
  if (r.limit > 0 && r.limit < manyKeys) return undefined;
  // As in etcd: without an order the limit is taken first, by key, and what it left is sorted.
  if (r.limit > 0 && r.sortTarget !== 0 && r.sortOrder === 0) return undefined;
  if (r.revision > store.revision) return undefined;
  if (r.revision > 0 && r.revision < store.compactedRevision) return undefined;
  const count = isNewest(store, r) ? countOf(store, r) : store.keyCount;
  if (count < manyKeys) return undefined;
  const isAsHeld = !r.keysOnly && !isSorted(r) && rangeFilters(r).length === 0;
  const isLong = count > longKeys && (r.limit === 0 || r.limit > longKeys || !isAsHeld);
  if (isLong || !isNewest(store, r)) return new LongRange(member, r).run();
  return isAsHeld ? copiedRange(member, r, count) : undefined;
}

const isNewest = (store: MvccStore, { revision }: Request) =>
  revision <= 0 || revision === store.revision;

const isSorted = ({ sortOrder, sortTarget }: Request) => sortOrder > 1 || sortTarget !== 0;

const spanOfRequest = ({ key, rangeEnd }: Request) => spanOf(keyText(key), keyText(rangeEnd));

function countOf(store: MvccStore, r: Request): number {
  return store.range({ ...spanOfRequest(r), countOnly: true }).count;
}

function copiedRange(member: Member, r: Request, count: number): Response {
  const { store } = member.state;
  const limit = r.limit > 0 ? r.limit : count;
  const pieces = [etcd.RangeResponse.encode({ header: header(member, store.revision) })];
  let left = limit;
  for (let key: string | undefined = spanOfRequest(r).key; key !== undefined && left > 0; ) {
    const found = store.encodeScan!({ ...spanOfRequest(r), key, limit: left });
    pieces.push(found.bytes);
    left -= found.count;
    key = found.next;
  }
  pieces.push(etcd.RangeResponse.encode({ more: count > limit, count }));
  return inPieces<etcd.RangeResponse>(pieces);
}

class LongRange {
  readonly #request: Request;
  readonly #store: MvccStore;
  readonly #filters: readonly ((kv: KeyValue) => boolean)[];
  readonly #pieces: Buffer[];
  /** Sorted by something else than their keys: all have to be seen first. */
  readonly #unsorted: KeyValue[] = [];
  readonly #isAsHeld: boolean;
  #count = 0;
  #kept = 0;

  constructor(member: Member, request: Request) {
    this.#request = request;
    this.#store = member.state.store.fork();
    this.#filters = rangeFilters(request);
    const isPlain = this.#filters.length === 0 && !isSorted(request);
    this.#isAsHeld = isPlain && !request.keysOnly;
    this.#pieces = [etcd.RangeResponse.encode({ header: header(member, this.#store.revision) })];
  }

  async run(): Promise<Response> {
    const span = spanOfRequest(this.#request);
    for (let key: string | undefined = span.key; key !== undefined; ) {
      key = this.#portion({ ...span, key });
      await turn();
      if (this.#room >= 0 || !this.#isCounted) continue;
      this.#count = countOf(this.#store, this.#request);
      break;
    }
    await this.#addSorted();
    const { limit } = this.#request;
    const more = limit > 0 && this.#kept > limit;
    this.#pieces.push(etcd.RangeResponse.encode({ more, count: this.#count }));
    return inPieces<etcd.RangeResponse>(this.#pieces);
  }

  /** What is beyond the limit can be counted without looking at it. */
  get #isCounted(): boolean {
    return isNewest(this.#store, this.#request) && !isSorted(this.#request);
  }

  /** Adds some keys, and tells where the rest begins. */
  #portion(span: { key: string; end: string | undefined }): string | undefined {
    const { revision } = this.#request;
    const query = { ...span, revision, limit: portionKeys };
    const isBeyond = this.#room < 0 && !isSorted(this.#request);
    if (isBeyond || (this.#isAsHeld && this.#room >= portionKeys)) {
      const found = this.#store.encodeScan!({ ...query, countOnly: isBeyond });
      this.#pieces.push(found.bytes);
      this.#count += found.count;
      this.#kept += found.count;
      return found.next;
    }
    const { kvs, next } = this.#store.scan!(query);
    this.#count += kvs.length;
    this.#add(kvs.filter((kv) => this.#filters.every((keep) => keep(kv))));
    return next;
  }

  get #room(): number {
    const { limit } = this.#request;
    return limit > 0 ? limit - this.#kept : Number.POSITIVE_INFINITY;
  }

  #add(kvs: readonly KeyValue[]): void {
    if (isSorted(this.#request)) this.#unsorted.push(...kvs);
    else if (kvs.length > 0) {
      this.#encode(kvs.slice(0, Math.max(this.#room, 0)));
      this.#kept += kvs.length;
    }
  }

  #encode(kvs: readonly KeyValue[]): void {
    const { keysOnly } = this.#request;
    if (kvs.length === 0) return;
    this.#pieces.push(etcd.RangeResponse.encode({ kvs: kvs.map((kv) => toAnswer(kv, keysOnly)) }));
  }

  async #addSorted(): Promise<void> {
    if (this.#unsorted.length === 0) return;
    sortKeyValues(this.#unsorted, this.#request);
    const end = Math.min(this.#room, this.#unsorted.length);
    for (let from = 0; from < end; from += portionKeys) {
      this.#encode(this.#unsorted.slice(from, Math.min(from + portionKeys, end)));
      await turn();
    }
    this.#kept += this.#unsorted.length;
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

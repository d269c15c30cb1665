/**
 * This server's writes between etcd's two words about them: the answer and the watch's event, which
 * come in either order.
 *
 * Who wrote an object has it already: neither word is read for what it holds. The answer is known
 * by its call, the event by its revision when the answer came first, else by its bytes.
 */
import type { KubeObject } from "@nanokube/machinery";
import type { ResourceCache } from "../core/cache/resource-cache.ts";
import { StoredObject } from "../core/cache/stored-object.ts";
import type { KeyValue } from "./etcd-key.ts";

export interface OwnWrite {
  readonly cache: ResourceCache;
  readonly key: string;
  readonly tree: KubeObject;
  /** As the cache holds it, and as the store does: sealed, perhaps. */
  readonly value: Uint8Array;
  readonly sealed: Uint8Array;
  readonly lease: bigint;
  /** Once one of the two has come. */
  object?: StoredObject;
}

/** So many at most wait for their events: a watch may be silent while etcd still writes. */
const underwayMax = 10_000;

export class OwnWrites {
  readonly #underway = new Map<string, OwnWrite[]>();
  #count = 0;
  #answered: StoredObject[] = [];

  /** Before it is sent. */
  begin(write: OwnWrite): void {
    if (this.#count >= underwayMax) this.clear();
    this.#count++;
    const place = placeOf(write);
    const others = this.#underway.get(place);
    if (others === undefined) this.#underway.set(place, [write]);
    else others.push(write);
  }

  /** It was refused, or nobody knows. */
  end(write: OwnWrite): void {
    const place = placeOf(write);
    const all = this.#underway.get(place) ?? [];
    const others = all.filter((other) => other !== write);
    this.#count -= all.length - others.length;
    if (others.length === 0) this.#underway.delete(place);
    else this.#underway.set(place, others);
  }

  /** The answer; `isAwaited`: its event will come or has. */
  answered(write: OwnWrite, revision: number, isAwaited: boolean): StoredObject {
    const { object: shown, tree } = write;
    const object = shown?.revision === revision ? shown : make(write, revision);
    object.hold(tree);
    if (this.#answered.push(object) === 1) setImmediate(() => this.#settle());
    write.object = object;
    if (object !== shown && !isAwaited) object.settle();
    if (object === shown || !isAwaited) this.end(write);
    return object;
  }

  /** The object of an event when it was written here. */
  eventOf(cache: ResourceCache, key: string, kv: KeyValue): StoredObject | undefined {
    for (const write of this.#underway.get(cache.prefix + key) ?? []) {
      if (write.object === undefined) {
        if (!isSame(write.sealed, kv.value)) continue;
        write.object = make(write, kv.modRevision);
        return write.object;
      }
      const { revision } = write.object;
      // Events come in order: that of an earlier write will not come any more.
      if (revision <= kv.modRevision) this.end(write);
      if (revision === kv.modRevision) return write.object;
    }
    return undefined;
  }

  /** A watch begins: what was loaded before it has no events. What still has is read from them. */
  clear(): void {
    this.#underway.clear();
    this.#count = 0;
  }

  /** The answers have been encoded: their trees are needed no more. */
  #settle(): void {
    const answered = this.#answered;
    this.#answered = [];
    for (const object of answered) object.settle();
  }
}

const placeOf = ({ cache, key }: OwnWrite): string => cache.prefix + key;

function make({ cache, key, value, tree, lease }: OwnWrite, revision: number): StoredObject {
  return StoredObject.fromWrite(key, revision, value, tree, cache.codec, lease);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.from(a.buffer, a.byteOffset, a.length).equals(b);
}

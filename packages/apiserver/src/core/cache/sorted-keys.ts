/**
 * A set of strings in order, in chunks: adding to 100,000 keys moves a few hundred, not all of
 * them.
 *
 * Order is by UTF-16 code unit, which for the characters of Kubernetes' names is etcd's byte order.
 */
const chunkMax = 512;

export class SortedKeys {
  #chunks: string[][] = [[]];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at]!;
    const index = lowerBound(chunk, key);
    if (chunk[index] === key) return;
    chunk.splice(index, 0, key);
    this.#size++;
    if (chunk.length > chunkMax) {
      this.#chunks.splice(at + 1, 0, chunk.splice(chunkMax / 2));
    }
  }

  delete(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at]!;
    const index = lowerBound(chunk, key);
    if (chunk[index] !== key) return;
    chunk.splice(index, 1);
    this.#size--;
    if (chunk.length === 0 && this.#chunks.length > 1) this.#chunks.splice(at, 1);
  }

  /** Keys from `start` on that begin with `prefix`, in order. */
  *from(start: string, prefix: string): Generator<string> {
    const first = start > prefix ? start : prefix;
    let at = this.#chunkOf(first);
    let index = lowerBound(this.#chunks[at]!, first);
    while (at < this.#chunks.length) {
      const chunk = this.#chunks[at]!;
      for (; index < chunk.length; index++) {
        const key = chunk[index]!;
        if (!key.startsWith(prefix)) return;
        yield key;
      }
      at++;
      index = 0;
    }
  }

  /** How many keys `from` would give. */
  count(start: string, prefix: string): number {
    const first = this.#position(start > prefix ? start : prefix);
    const end = prefix === "" ? this.#size : this.#position(after(prefix));
    return Math.max(0, end - first);
  }

  /** How many keys stand before this one, whether it is there or not. */
  #position(key: string): number {
    const at = this.#chunkOf(key);
    let before = 0;
    for (let i = 0; i < at; i++) before += this.#chunks[i]!.length;
    return before + lowerBound(this.#chunks[at]!, key);
  }

  /** The last chunk whose first key is not after `key`. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#chunks[middle]![0]! <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** What stands behind all that begins so; the prefixes here end with a slash. */
function after(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

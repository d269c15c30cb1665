/**
 * The items of whole lists and of first pages as bytes, until something in the resource changes:
 * many who list the same at the same time (a restart of all clients) cost one encoding and one
 * compression.
 *
 * Units   bytes are of the joined items, without the head that has the list's resourceVersion
 */
export interface ListItems {
  readonly bytes: Uint8Array;
  readonly count: number;
  /** These are a page, and there is more. */
  readonly rest?: ListRest | undefined;
}

/** What comes behind a page. */
export interface ListRest {
  /** The key of the page's last object. */
  readonly last: string;
  /** How many; unknown when a selector chooses. */
  readonly remaining: number | undefined;
}

const listsMax = 16;
const totalMaxBytes = 48 * 1024 * 1024;

export class KeptLists {
  readonly #lists = new Map<string, ListItems>();
  #totalBytes = 0;

  get(name: string): ListItems | undefined {
    return this.#lists.get(name);
  }

  keep(name: string, items: ListItems): void {
    if (items.bytes.length > totalMaxBytes) return;
    for (const [oldest, { bytes }] of this.#lists) {
      const fits = this.#totalBytes + items.bytes.length <= totalMaxBytes;
      if (fits && this.#lists.size < listsMax) break;
      this.#lists.delete(oldest);
      this.#totalBytes -= bytes.length;
    }
    this.#lists.set(name, items);
    this.#totalBytes += items.bytes.length;
  }

  clear(): void {
    if (this.#lists.size === 0) return;
    this.#lists.clear();
    this.#totalBytes = 0;
  }
}

/** Values on their way into the store and out of it, sealed where that is configured. */
import type { Log } from "@nanokube/machinery";
import type { Client, etcd } from "@nanokube/rpc";
import type { Opened, Sealer } from "../core/encryption/sealer.ts";
import type { EtcdEvent, KeyValue } from "./etcd-key.ts";

export interface Sealing {
  sealerOf(prefix: string): Sealer;
  /** What opening these needs from elsewhere; undefined when nothing. */
  prepare(values: Iterable<Uint8Array>): Promise<unknown> | undefined;
}

type KV = Client<typeof etcd.KV>;

export class SealedValues {
  readonly #sealing: Sealing | undefined;
  readonly #log: Log;

  constructor(sealing: Sealing | undefined, log: Log) {
    this.#sealing = sealing;
    this.#log = log;
  }

  /** Answers of etcd whose values can be opened at once. */
  prepared(kv: KV): KV {
    if (this.#sealing === undefined) return kv;
    return {
      ...kv,
      range: async (...asked) => {
        const answer = await kv.range(...asked);
        await this.#prepare(answer.kvs as readonly KeyValue[]);
        return answer;
      },
      txn: async (...asked) => {
        const answer = await kv.txn(...asked);
        const kvs = answer.responses.flatMap(({ responseRange }) => responseRange?.kvs ?? []);
        await this.#prepare(kvs as readonly KeyValue[]);
        return answer;
      },
    };
  }

  prepareEvents(events: readonly EtcdEvent[]): Promise<unknown> | undefined {
    return this.#sealing && this.#prepare(events.map(({ kv }) => kv));
  }

  #prepare(kvs: readonly KeyValue[]): Promise<unknown> | undefined {
    return this.#sealing?.prepare(kvs.map(({ value }) => value));
  }

  seal(prefix: string, key: Uint8Array, value: Uint8Array): Uint8Array {
    return this.#sealing?.sealerOf(prefix).seal(value, key) ?? value;
  }

  /**
   * The value is copied: a part of a message would hold the whole message in memory. What cannot be
   * opened is kept as it is, and who asks for that object gets the error.
   */
  open(prefix: string, kv: KeyValue): Opened {
    if (this.#sealing === undefined) return { value: kv.value.slice(), stale: false };
    try {
      const opened = this.#sealing.sealerOf(prefix).open(kv.value, kv.key);
      return { ...opened, value: opened.value.slice() };
    } catch (error) {
      const key = new TextDecoder().decode(kv.key);
      this.#log.error({ key, error: String(error) }, "unable to transform key");
      return { value: kv.value.slice(), stale: false };
    }
  }
}

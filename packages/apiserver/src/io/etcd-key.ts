/** Shapes of etcd's answers, and the ends of key ranges. */
export interface KeyValue {
  key: Uint8Array;
  value: Uint8Array;
  modRevision: number;
  lease: bigint;
}

export interface EtcdEvent {
  /** 0 put, 1 delete. */
  type: number;
  kv: KeyValue;
}

/** The key after every key with this prefix. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  const end = Uint8Array.from(prefix);
  end[end.length - 1] = end.at(-1)! + 1;
  return end;
}

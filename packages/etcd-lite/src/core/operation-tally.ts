/**
 * How many ranges, puts and deletes the store was asked for, those inside of transactions and those
 * that others need (compares, previous values) among them; and how many transactions had several.
 *
 * Source  etcd v3.6 server/storage/mvcc/metrics_txn.go
 */
export class OperationTally {
  ranges = 0;
  puts = 0;
  deletes = 0;
  /** Of the keys and values of puts. */
  putBytes = 0;
  /** Of more than one operation. */
  txns = 0;
  #open = 0;

  range(): void {
    this.ranges++;
    this.#open++;
  }

  put(sizeBytes: number): void {
    this.putBytes += sizeBytes;
    this.puts++;
    this.#open++;
  }

  delete(): void {
    this.deletes++;
    this.#open++;
  }

  /** Of one transaction, or of what was done in its place. */
  end(): void {
    if (this.#open > 1) this.txns++;
    this.#open = 0;
  }
}

/**
 * What it costs to keep an etcd in memory as it is, and to go back to that: fork() and reset().
 *
 * There is nothing of upstream's beside it. Each round writes between fork and reset, since an
 * untouched store would have nothing to take back; the writes are not counted.
 */
import { createEtcd } from "@nanokube/etcd-lite";
import { nullLog, systemClock, systemRandom } from "@nanokube/machinery";
import { createClient, etcd as proto } from "@nanokube/rpc";
import { median } from "./median.ts";

const rounds = 200;
const writesPerRound = 10;

export async function benchFork(
  sizes: readonly number[],
  write: (line: string) => void,
): Promise<void> {
  write("| keys | fork p50 ms | reset p50 ms | fork + reset p99 ms | first read after, ms |");
  write("|---|---|---|---|---|");
  for (const keys of sizes) write(await row(keys));
}

async function row(keys: number): Promise<string> {
  const etcd = await createEtcd({ clock: systemClock, random: systemRandom, log: nullLog });
  const kv = createClient(etcd.channel(), proto.KV);
  const key = (i: number) => Buffer.from(`registry/key/${String(i).padStart(9, "0")}`);
  const value = Buffer.alloc(100, "v");
  for (let i = 0; i < keys; i++) await kv.put({ key: key(i), value });
  const times = {
    fork: [] as number[],
    reset: [] as number[],
    both: [] as number[],
    read: [] as number[],
  };
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    const fork = etcd.fork();
    const forked = performance.now();
    for (let i = 0; i < writesPerRound; i++) await kv.put({ key: key((i * 7919) % keys), value });
    const wrote = performance.now();
    etcd.reset(fork);
    const reset = performance.now();
    const { header } = await kv.range({ key: key(1) });
    times.read.push(performance.now() - reset);
    if (header!.revision !== keys + 1) throw new Error("the reset did not take everything back");
    times.fork.push(forked - began);
    times.reset.push(reset - wrote);
    times.both.push(forked - began + reset - wrote);
  }
  await etcd.close();
  const p99 = times.both.toSorted((a, b) => a - b)[Math.floor(rounds * 0.99)]!;
  const cells = [median(times.fork), median(times.reset), p99, median(times.read)];
  return `| ${keys} | ${cells.map((ms) => ms.toFixed(3)).join(" | ")} |`;
}

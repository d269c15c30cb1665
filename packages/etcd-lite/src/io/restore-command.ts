/**
 * `etcd-lite snapshot restore FILE [flags]`, and `status`: reads etcdutl's flags and does it.
 *
 * Errors  FlagError, in etcdutl's words
 */
import type { Clock, Log } from "@nanokube/machinery";
import { formatStatus } from "../core/bbolt/snapshot-status.ts";
import { restoreFlags, statusFlags } from "../core/flag-facts.ts";
import { FlagError, isTrue, readArguments } from "../core/flags.ts";
import { readInitialCluster } from "./cluster-flags.ts";
import { readStatus, restoreSnapshot } from "./restore.ts";

export const restoreUsage = `  etcd-lite snapshot status FILE [--write-out simple|json]
    Tell what a snapshot of etcd-lite or etcd holds.

  etcd-lite snapshot restore FILE --data-dir DIR [flags]
    Make a data directory from a snapshot of etcd-lite or etcd. Flags are etcdutl's:
    --name --initial-cluster --initial-cluster-token --initial-advertise-peer-urls
    --skip-hash-check --bump-revision --mark-compacted
`;

export async function runSnapshotCommand(
  argv: readonly string[],
  { clock, log }: { clock: Clock; log: Log },
): Promise<void> {
  const [verb, ...more] = argv;
  if (verb === "status") {
    printStatus(more);
    return;
  }
  if (verb !== "restore") {
    throw new FlagError(`unknown command "${verb ?? ""}" for "etcd-lite snapshot"`);
  }
  const { values, rest } = readArguments(more, restoreFlags);
  if (rest.length !== 1) throw new FlagError("snapshot restore requires exactly one argument");
  const bumpRevision = Number(values["bump-revision"] ?? 0);
  if (bumpRevision > 0 !== isTrue(values["mark-compacted"])) {
    throw new FlagError("--mark-compacted required if --revision-bump > 0");
  }
  const name = values["name"] ?? "default";
  const defaultURL = "http://localhost:2380";
  const peerURLs = (values["initial-advertise-peer-urls"] ?? defaultURL).split(",");
  const cluster = values["initial-cluster"] ?? `default=${defaultURL}`;
  await restoreSnapshot({
    file: rest[0]!,
    dataDir: values["data-dir"] ?? `${name}.etcd`,
    name,
    peerURLs,
    // Which clients' URLs there will be is for the server's flags to say.
    clientURLs: [],
    initialCluster: readInitialCluster(cluster, name, peerURLs),
    clusterToken: values["initial-cluster-token"],
    skipHashCheck: isTrue(values["skip-hash-check"]),
    bumpRevision,
    clock,
    log,
  });
}

function printStatus(argv: readonly string[]): void {
  const plain = argv.map((one) => one.replace(/^-w(?==|$)/, "--write-out"));
  const { values, rest } = readArguments(plain, statusFlags);
  if (rest.length !== 1) throw new FlagError("snapshot status requires exactly one argument");
  const status = readStatus(rest[0]!);
  const isJson = values["write-out"] === "json";
  process.stdout.write(`${isJson ? JSON.stringify(status) : formatStatus(status)}\n`);
}

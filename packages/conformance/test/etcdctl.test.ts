/**
 * The same etcdctl script against etcd-lite and against etcd prints the same.
 *
 * Run with every etcdctl that is there: 3.4 (Debian) and 3.6.
 */
import { execFile, execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EtcdInstance, etcdSubjects } from "../src/subjects/etcd.ts";
import { findPrograms, missing } from "../src/subjects/programs.ts";

interface Ran {
  readonly code: number;
  readonly output: string;
}

function etcdctl(
  program: string,
  endpoint: string,
  args: readonly string[],
  input = "",
): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { PATH: process.env["PATH"], ETCDCTL_API: "3" };
    const argv = ["--endpoints", endpoint, "--command-timeout=5s", ...args];
    const child = execFile(program, argv, { env, timeout: 20_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code ?? -1);
      resolve({ code, output: comparable(stdout + stderr, endpoint) });
    });
    child.stdin!.end(input);
  });
}

/** What differs from run to run: the endpoint, times, the client's own log lines. */
function comparable(output: string, endpoint: string): string {
  return output
    .split("\n")
    .filter((line) => !line.startsWith('{"level"'))
    .join("\n")
    .replaceAll(`http://${endpoint}`, "URL")
    .replaceAll(endpoint, "ENDPOINT")
    .replace(/\d+(\.\d+)?(ms|µs|s)\b/g, "TIME")
    .replace(/"?(cluster_id|member_id|raft_term|ClusterID|MemberID|RaftTerm)"? ?: ?\d+/g, "$1:N");
}

const txn = 'mod("a") > "0"\nvalue("a") = "1"\n\nput c 3\nget a\ndel b\n\nput d 4\nget d\n\n';

const script: (readonly [args: string, input?: string])[] = [
  ["put a 1"],
  ["put b 2 --prev-kv"],
  ["put b 22 --prev-kv"],
  ["put --ignore-value b"],
  ["put --ignore-value nokey"],
  ["get a"],
  ["get a z"],
  ["get --prefix= -w simple a"],
  ['get --from-key "" --limit 1 -w json'],
  ["get a z --keys-only"],
  ["get a z --count-only -w fields"],
  ["get a z --print-value-only --order=DESCEND --sort-by=VALUE"],
  ["get a --rev 2"],
  ["get a --rev 999"],
  ["get a -w json"],
  ["get a -w fields"],
  ["txn -i", txn],
  ["txn -i", 'ver("zz") = "0"\n\nput zz 1\n\nput zz 2\n\n'],
  ["txn -i", "\nput a 1\nput a 2\n\n\n"],
  ["get --prefix -w json k"],
  ["del a --prev-kv"],
  ["del nothing"],
  ["del c z -w json"],
  ["compaction 4"],
  ["compaction 4"],
  ["compaction 4000"],
  ["get b --rev 3"],
  ["get b --rev 4"],
  ["lease list"],
  ["lease timetolive 1234 --keys"],
  ["lease revoke 1234"],
  ["put --lease=1234 x y"],
  ["endpoint health"],
  ["endpoint hashkv"],
  ["member list"],
  ["member list -w simple"],
  ["alarm list"],
  ["alarm disarm"],
  ["defrag"],
  ["move-leader 8e9e05c52164694d"],
  ["move-leader 1"],
  ["auth disable"],
  ["watch a --rev 1", ""],
];

const [, lite, upstream] = etcdSubjects();
/** One of each release: the same program may stand in several places. */
const programs = [
  ...new Map(findPrograms("etcdctl").map((path) => [release(path), path] as const)).values(),
];

function release(program: string): string {
  const env = { PATH: process.env["PATH"], ETCDCTL_API: "3" };
  return execFileSync(program, ["version"], { env }).toString().split("\n")[0]!;
}

const skip = programs.length === 0 ? missing("etcdctl") : upstream!.skip;

describe.skipIf(skip !== undefined).each(programs.length === 0 ? ["etcdctl"] : programs)(
  `%s prints the same on etcd-lite and etcd${skip === undefined ? "" : `: ${skip}`}`,
  (program) => {
    let ours: EtcdInstance;
    let theirs: EtcdInstance;
    beforeAll(async () => {
      // The very same flags, so that even the ids are the same.
      const flags = ["--initial-advertise-peer-urls", "http://localhost:2380"];
      flags.push("--initial-cluster", "default=http://localhost:2380");
      [ours, theirs] = await Promise.all([lite!.open(flags), upstream!.open(flags)]);
    });
    afterAll(() => Promise.all([ours?.close(), theirs?.close()]));

    test.each(script)("%s", async (...[line, input]) => {
      const args = line!.split(" ").map((arg) => arg.replaceAll('"', ""));
      const both = [ours, theirs].map(({ endpoint }) => etcdctl(program, endpoint, args, input));
      const [mine, wanted] = await Promise.all(both);
      expect(mine).toEqual(wanted);
    });

    test("lease grant, keep-alive, keys, expiry", async () => {
      const results = await Promise.all(
        [ours, theirs].map(async ({ endpoint }) => {
          const granted = await etcdctl(program, endpoint, ["lease", "grant", "3"]);
          const id = /lease ([0-9a-f]+) granted/.exec(granted.output)![1]!;
          const outputs = [granted.output];
          for (const line of [
            `put --lease=${id} leased 1`,
            `lease timetolive ${id} --keys`,
            `lease keep-alive --once ${id}`,
            "get leased",
          ]) {
            outputs.push((await etcdctl(program, endpoint, line.split(" "))).output);
          }
          const gone = async () =>
            (await etcdctl(program, endpoint, ["get", "leased"])).output === "";
          while (!(await gone())) await new Promise((resolve) => setTimeout(resolve, 200));
          outputs.push((await etcdctl(program, endpoint, ["lease", "list"])).output);
          return outputs.map((text) =>
            text.replaceAll(id, "LEASE").replace(/remaining\(\w+\)/, ""),
          );
        }),
      );
      expect(results[0]).toEqual(results[1]);
    });

    test("lock and elect work: they stand on leases, transactions and watches", async () => {
      const results = await Promise.all(
        [ours, theirs].map(({ endpoint }) =>
          etcdctl(program, endpoint, ["lock", "mutex", "echo", "held"]),
        ),
      );
      expect(results[0]).toEqual(results[1]);
      expect(results[0]!.output).toContain("held");
    });
  },
);

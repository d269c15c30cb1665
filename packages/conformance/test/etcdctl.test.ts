/**
 * The same etcdctl scripts against etcd-lite and against etcd print the same.
 *
 * Run with every etcdctl that is there: 3.4 (Debian) and 3.6.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CtlLine, ctlScripts, words } from "../src/etcd/etcdctl-scripts.ts";
import { type EtcdInstance, etcdSubjects } from "../src/subjects/etcd.ts";
import { findPrograms, missing } from "../src/subjects/programs.ts";

interface Ran {
  readonly code: number;
  readonly output: string;
}

const env = { PATH: process.env["PATH"], ETCDCTL_API: "3" };

interface Call {
  readonly program: string;
  readonly endpoint: string;
  readonly args: readonly string[];
  readonly input?: string | undefined;
  readonly forMs?: number | undefined;
}

function etcdctl({ program, endpoint, args, input, forMs }: Call): Promise<Ran> {
  return new Promise((resolve) => {
    const argv = ["--endpoints", endpoint, "--command-timeout=5s", ...args];
    const child = spawn(program, argv, { env, stdio: ["pipe", "pipe", "pipe"] });
    // Each by itself: which of the two is heard first says nothing.
    let [printed, complained] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      complained += chunk.toString();
    });
    const end = setTimeout(() => child.kill("SIGKILL"), forMs ?? 20_000);
    child.once("close", (code) => {
      clearTimeout(end);
      // What was printed need not end with a line: protobuf does not.
      const told = complained.replace(/^\{"level".*\n/gm, "");
      resolve({ code: code ?? -1, output: comparable(printed + told, endpoint) });
    });
    child.stdin.on("error", () => {}); // It may be gone before it has read everything.
    if (input !== undefined) child.stdin.write(input);
    // A watch reads its commands as long as there may be more.
    if (forMs === undefined) child.stdin.end();
  });
}

/** What differs from run to run: the endpoint, times, sizes, the client's own log lines. */
function comparable(output: string, endpoint: string): string {
  return output
    .split("\n")
    .filter((line) => !line.startsWith('{"level"'))
    .map((line) => (line.includes("|") || line.startsWith("+-") ? tableLine(line) : line))
    .join("\n")
    .replaceAll(`http://${endpoint}`, "URL")
    .replaceAll(endpoint, "ENDPOINT")
    .replace(/\d+(\.\d+)?(ms|µs|s)\b/g, "TIME")
    .replace(/\b\d+(\.\d+)? (kB|MB|B)\b/g, "SIZE")
    .replace(numbers, "$1$2:N")
    .replace(/^(URL|ENDPOINT), ([0-9a-f]+), ([0-9.]+),.*$/gm, "$1, $2, $3, …");
}

/** Of the member, not of what it holds. */
const numbers =
  /"?(cluster_id|member_id|raft_term|ClusterID|MemberID|RaftTerm|raftTerm|raftIndex|raftAppliedIndex|RaftIndex|RaftAppliedIndex|dbSize|dbSizeInUse|DBSize|DBSizeInUse)("?) ?: ?\d+/g;

/** Cells without their padding, and the numbers of a member's status gone. */
function tableLine(line: string): string {
  if (line.startsWith("+-")) return "+-+";
  const cells = line.split("|").map((cell) => cell.trim());
  return cells.map((cell) => (/^\d+$/.test(cell) || /% *$/.test(cell) ? "N" : cell)).join("|");
}

const [, lite, upstream] = etcdSubjects();
/** One of each release: the same program may stand in several places. */
const programs = [
  ...new Map(findPrograms("etcdctl").map((path) => [release(path), path] as const)).values(),
];

function release(program: string): string {
  return execFileSync(program, ["version"], { env }).toString().split("\n")[0]!;
}

const isKnown = (program: string, { since = "3" }: CtlLine) =>
  release(program).split(": ")[1]!.localeCompare(since, "en", { numeric: true }) >= 0;

const skip = programs.length === 0 ? missing("etcdctl") : upstream!.skip;
const some = programs.length === 0 ? ["etcdctl"] : programs;

// The very same flags, so that even the ids are the same.
const sameFlags = [
  ...["--initial-advertise-peer-urls", "http://localhost:2380"],
  ...["--initial-cluster", "default=http://localhost:2380", "--bcrypt-cost", "4"],
];

/** It puts its load for a minute, whatever the server: the scripts run meanwhile. */
class CheckPerf {
  readonly #server: Promise<EtcdInstance>;
  readonly ran: Promise<Ran>;

  constructor(program: string) {
    this.#server = lite!.open(sameFlags);
    const args = words("check perf --load s --command-timeout=120s");
    this.ran = this.#server.then(({ endpoint }) =>
      etcdctl({ program, endpoint, args, forMs: 110_000 }),
    );
    this.ran.catch(() => {}); // Its test says so.
  }

  /** It writes 10,000 keys, and asks /metrics how much the server has grown. */
  async dataScale(program: string): Promise<Ran> {
    await this.ran;
    const { endpoint } = await this.#server;
    const args = words("check datascale --load s --command-timeout=100s");
    return etcdctl({ program, endpoint, args, forMs: 100_000 });
  }

  async close(): Promise<void> {
    await (await this.#server).close();
  }
}

const checks = new Map<string, CheckPerf>();
beforeAll(() => {
  if (skip === undefined) for (const one of some) checks.set(one, new CheckPerf(one));
});
afterAll(() => Promise.all([...checks.values()].map((check) => check.close())));

describe.skipIf(skip !== undefined).each(some)(
  `%s prints the same on etcd-lite and etcd${skip === undefined ? "" : `: ${skip}`}`,
  (program) => {
    describe.each(ctlScripts)("%s", (_name, script) => {
      let both: EtcdInstance[];
      beforeAll(async () => {
        both = await Promise.all([lite!.open(sameFlags), upstream!.open(sameFlags)]);
      });
      afterAll(() => Promise.all((both ?? []).map((one) => one.close())));

      const known = skip === undefined ? script.filter((line) => isKnown(program, line)) : script;
      test.each(known)("$line", async ({ line, input, forMs }) => {
        const args = words(line);
        const calls = both.map(({ endpoint }) =>
          etcdctl({ program, endpoint, args, input, forMs }),
        );
        const [mine, wanted] = await Promise.all(calls);
        expect(mine).toEqual(wanted);
      });
    });

    describe("what takes several steps", () => {
      let both: EtcdInstance[];
      let mirrors: EtcdInstance[];
      let directory: string;
      beforeAll(async () => {
        directory = mkdtempSync(join(tmpdir(), "etcdctl-"));
        const open = () => Promise.all([lite!.open(sameFlags), upstream!.open(sameFlags)]);
        [both, mirrors] = await Promise.all([open(), open()]);
      });
      afterAll(async () => {
        await Promise.all([...(both ?? []), ...(mirrors ?? [])].map((one) => one.close()));
        rmSync(directory, { recursive: true, force: true });
      });

      const onBoth = async <T>(run: (endpoint: string, i: number) => Promise<T>) => {
        const [mine, wanted] = await Promise.all(both.map(({ endpoint }, i) => run(endpoint, i)));
        expect(mine).toEqual(wanted);
        return mine!;
      };
      const ctl = (endpoint: string, line: string) =>
        etcdctl({ program, endpoint, args: words(line) });

      test("lease grant, keep-alive, keys, expiry", async () => {
        await onBoth(async (endpoint) => {
          const granted = await ctl(endpoint, "lease grant 3");
          const id = /lease ([0-9a-f]+) granted/.exec(granted.output)![1]!;
          const outputs = [granted.output];
          // At least what an election may take.
          const least = await ctl(endpoint, "lease grant 0");
          outputs.push(least.output.replace(/lease \w+/, ""));
          for (const line of [
            `put --lease=${id} leased 1`,
            `lease timetolive ${id} --keys`,
            `lease keep-alive --once ${id}`,
            "get leased",
          ]) {
            outputs.push((await ctl(endpoint, line)).output);
          }
          while ((await ctl(endpoint, "get leased")).output !== "") {
            await new Promise((resolve) => setTimeout(resolve, 200));
          }
          outputs.push((await ctl(endpoint, "lease list")).output);
          return outputs.map((t) => t.replaceAll(id, "LEASE").replace(/remaining\(\w+\)/, ""));
        });
      });

      test("lock runs a command while it holds, and hands over", async () => {
        const held = await onBoth((endpoint) => ctl(endpoint, "lock mutex echo held"));
        expect(held.output).toContain("held");
        expect((await onBoth((e) => ctl(e, "get --prefix mutex"))).output).toBe("");
      });

      test("elect leads until it is ended, and another hears of it", async () => {
        await onBoth(async (endpoint) => {
          const leader = follow(program, endpoint, ["elect", "office", "ann"]);
          const listener = follow(program, endpoint, ["elect", "office", "--listen"]);
          await leader.until("ann");
          await listener.until("ann");
          leader.child.kill("SIGINT");
          await leader.ended;
          listener.child.kill("SIGKILL");
          await listener.ended;
          return (await ctl(endpoint, "get --prefix office")).output;
        });
      });

      test("make-mirror copies what is there and what comes", async () => {
        await onBoth(async (endpoint, i) => {
          const [source, other] = [endpoint, mirrors[i]!.endpoint];
          for (const line of ["put m/a 1", "put m/b 2", "del m/b"]) await ctl(source, line);
          const mirror = follow(program, source, [
            ...["make-mirror", other, "--prefix", "m/", "--dest-prefix", "copy/"],
          ]);
          while ((await ctl(other, "get copy/a")).output === "") {}
          await ctl(source, "put m/c 3");
          while ((await ctl(other, "get copy/c")).output === "") {}
          mirror.child.kill("SIGKILL");
          await mirror.ended;
          return (await ctl(other, "get --prefix copy/")).output;
        });
      });

      test("a learner that is added, cannot be promoted, and goes", async () => {
        await onBoth(async (endpoint) => {
          const added = await ctl(
            endpoint,
            "member add l --learner --peer-urls=http://127.0.0.1:1",
          );
          const id = /Member ([0-9a-f]+) added/.exec(added.output)?.[1] ?? "none";
          const lines = [
            "member list",
            "member add l2 --learner --peer-urls=http://127.0.0.1:2",
            "endpoint health --cluster",
            `member promote ${id}`,
            `move-leader ${id}`,
            "member list",
            `member remove ${id}`,
            `member remove ${id}`,
            `member promote ${id}`,
            "member list",
          ];
          const outputs = [added.output];
          for (const line of lines) outputs.push((await ctl(endpoint, line)).output);
          return outputs.map((text) => text.replaceAll(id, "ID").replace(/cluster +[0-9a-f]+/, ""));
        });
      });

      // The client of 3.4 knows nothing of it.
      if (skip !== undefined || isKnown(program, { line: "", since: "3.5" })) {
        test("downgrade: enabled, under way, cancelled; the cluster's version follows", async () => {
          await onBoth(async (endpoint) => {
            const status = async () => (await ctl(endpoint, "endpoint status -w json")).output;
            const until = async (version: string) => {
              while (!(await status()).includes(`"storageVersion":"${version}"`)) {
                await new Promise((resolve) => setTimeout(resolve, 200));
              }
            };
            const outputs = [(await ctl(endpoint, "downgrade enable 3.5")).output];
            await until("3.5.0");
            const lines = [
              "downgrade validate 3.5",
              "downgrade validate 3.4",
              "downgrade enable 3.4",
              "put written 1",
              "downgrade cancel",
            ];
            for (const line of lines) outputs.push((await ctl(endpoint, line)).output);
            await until("3.6.0");
            const version = await fetch(`http://${endpoint}/version`);
            return [...outputs, await version.text()];
          });
        });
      }

      test("snapshot save, and status of the file", async () => {
        await onBoth(async (endpoint, i) => {
          for (const line of ["put s 1", "put s 2", "del s"]) await ctl(endpoint, line);
          const file = join(directory, `${i}.db`);
          const saved = await ctl(endpoint, `snapshot save ${file}`);
          const text = saved.output.replaceAll(file, "FILE");
          return { ...saved, output: text };
        });
      });
    });
  },
);

// How fast it was says more of the machine than of the server: docs/benchmarks compares that.
test.skipIf(skip !== undefined).each(some)(
  `%s check perf runs to its end, and every write is taken${skip === undefined ? "" : `: ${skip}`}`,
  async (program) => {
    const { output } = await checks.get(program)!.ran;
    expect(output).not.toContain("Error");
    expect(output).toMatch(/Throughput (is|too low)/);
    expect(output).toMatch(/Stddev (is|too high)/);
  },
  120_000,
);

test.skipIf(skip !== undefined).each(some)(
  `%s check datascale finds out what 10,000 keys cost${skip === undefined ? "" : `: ${skip}`}`,
  async (program) => {
    const { output } = await checks.get(program)!.dataScale(program);
    expect(output).toMatch(/(PASS|FAIL): Approximate system memory used/);
    expect(output).not.toContain("Error");
  },
  230_000,
);

interface Following {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  until(text: string): Promise<void>;
}

function follow(program: string, endpoint: string, args: readonly string[]): Following {
  const child = spawn(program, ["--endpoints", endpoint, ...args], { env });
  let output = "";
  const waiting: (() => void)[] = [];
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    for (const wake of waiting.splice(0)) wake();
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    child,
    ended,
    async until(text) {
      while (!output.includes(text)) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

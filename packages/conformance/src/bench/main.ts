/**
 * `npm run bench -- NAME`: benchmarks that run upstream and us side by side and print ratios.
 */
import { Command, InvalidArgumentError } from "commander";

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("must be 1 or more.");
  return value;
}

interface EtcdFlags {
  rounds: number;
  scale: number;
  members: number;
  only?: string;
  growth?: string;
  save?: string;
}

const write = (line: string) => void process.stdout.write(`${line}\n`);

const program = new Command("bench").description("ours and upstream's, side by side");
program
  .command("start")
  .description("from nothing to a running pod, and the memory of it")
  .option("--rounds <n>", "how often each is started", count, 3)
  .action(async ({ rounds }: { rounds: number }) => {
    await (await import("./start.ts")).benchStart(rounds, write);
  });

program
  .command("apiserver")
  .description("client-go's load on ours and on kube-apiserver, each on an etcd of its own")
  .option("--pods <n>", "pods of the load", count, 2000)
  .option("--seconds <n>", "how long a phase of reads takes", count, 5)
  .option("--growth <sizes>", "numbers of objects at which growth is measured, e.g. 1000,100000")
  .option("--save <file>", "keep the table in this file, e.g. docs/benchmarks/apiserver.md")
  .option("--only <subject>", 'one of "kube-apiserver", "ours", "ours on etcd-lite"')
  .option("--phases <names>", "these alone, beginning with create, e.g. create,patch,fanout")
  .option("--rounds <n>", "how often each is measured, in turn", count, 1)
  .action(
    async (options: {
      pods: number;
      seconds: number;
      phases?: string;
      rounds: number;
      growth?: string;
      only?: string;
      save?: string;
    }) => {
      const growth = (options.growth ?? "").split(",").filter(Boolean).map(count);
      await (await import("./apiserver.ts")).benchApiServer({ ...options, growth }, write);
    },
  );

program
  .command("etcd")
  .description("etcd's own benchmark on etcd-lite and on etcd")
  .option("--rounds <n>", "how often each row is run", count, 3)
  .option("--scale <x>", "times the usual number of requests", Number, 1)
  .option("--members <n>", "members of each cluster", count, 1)
  .option("--only <text>", "only rows whose name has this text")
  .option("--growth <sizes>", "numbers of keys at which growth is measured, e.g. 100000,1000000")
  .option("--save <path>", "write path.json and path.md")
  .action(async (options: EtcdFlags) => {
    const growth = (options.growth ?? "").split(",").filter(Boolean).map(count);
    await (await import("./etcd.ts")).benchEtcd({ ...options, growth }, write);
  });

program
  .command("etcd-fork")
  .description("fork() and reset() of an etcd-lite in memory")
  .option("--keys <sizes>", "numbers of keys", "1000,10000,100000")
  .action(async ({ keys }: { keys: string }) => {
    const sizes = keys.split(",").map(count);
    await (await import("./etcd-fork.ts")).benchFork(sizes, write);
  });

program
  .parseAsync()
  .then(() => process.exit(0))
  .catch((error: Error) => {
    process.stderr.write(`Error: ${error.message}\n`);
    process.exit(1);
  });

/**
 * Is the simulation worth its name? Bugs are put into the sources, one at a time, and each must be
 * caught: by the name of the invariant that it breaks, within a number of seeds.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly caughtAs: RegExp;
  readonly seeds?: number;
  /** Faults that bring it out soonest; all of them find it too, in time. */
  readonly faults?: string;
  /** A script in place of the simulation: what it prints is judged. */
  readonly script?: string;
}

const mutants: readonly Mutant[] = [
  {
    name: "votes twice in a term",
    file: "core/raft/raft.ts",
    from: "this.vote === nobody && this.leader === nobody",
    to: "this.leader === nobody",
    caughtAs: /election safety|two leaders|log matching|safety|linearizable/,
    seeds: 1500,
  },
  {
    name: "votes for anybody's log",
    file: "core/raft/raft.ts",
    from: "mayVote && this.log.isUpToDate(request.lastIndex, request.lastTerm)",
    to: "mayVote",
    caughtAs: /leader completeness|would be overwritten|safety|linearizable/,
  },
  {
    name: "commits entries of older terms by counting",
    file: "core/raft/leader.ts",
    from: "if (log.term(index) !== term) return false;",
    to: "if (log.term(index) === undefined) return false;",
    // A leader's own entry travels with the older ones: by chance alone this takes very long.
    script: "sim/figure-3-7.ts",
    caughtAs: /withOlderEntry: 2/,
  },
  {
    name: "forgets its vote: the term's write is not waited for",
    file: "core/raft/raft.ts",
    from: "return !isSaved || this.log.hasUnwritten",
    to: "return this.log.hasUnwritten",
    caughtAs: /election safety|two leaders|durability|safety|linearizable|liveness/,
    seeds: 1500,
  },
  {
    name: "acknowledges before the disk has it",
    file: "io/raft-node.ts",
    from: "this.#isWriting = true;",
    to: "this.#isWriting = true; this.#stored(storage);",
    caughtAs: /durability|leader completeness|safety|linearizable|committed/,
  },
  {
    name: "reads without asking the majority",
    file: "core/raft/leader.ts",
    from: "(membership.majority === 1 && membership.voters.has(id)) ||",
    to: "hasCommitted ||",
    caughtAs: /not linearizable/,
    faults: "partition",
    seeds: 400,
  },
  {
    name: "reads before its own term has a commit",
    file: "core/raft/leader.ts",
    from: "this.#reads.ask(request, hasCommitted ? log.committed : undefined);",
    to: "this.#reads.ask(request, log.committed);",
    caughtAs: /not linearizable/,
    faults: "partition,crash,delay",
    seeds: 3000,
  },
  {
    name: "keeps what conflicts with the leader's log",
    file: "core/raft/raft-log.ts",
    from: "if (this.term(entry.index) === entry.term) continue;",
    to: "if (this.term(entry.index) !== undefined) continue;",
    caughtAs: /log matching|safety|linearizable|would be overwritten/,
  },
  {
    name: "counts a minority as a majority",
    file: "core/raft/membership.ts",
    from: "return Math.floor(this.voters.size / 2) + 1;",
    to: "return Math.max(Math.floor(this.voters.size / 2), 1);",
    caughtAs: /election safety|two leaders|safety|linearizable|completeness|overwritten/,
  },
  {
    name: "cuts one record too many off a torn log",
    file: "core/wal-frame.ts",
    from: "frames.push(read.frame);",
    to: "if (at + read.size < data.length - 3000 || cursor.nextSequence < 6) frames.push(read.frame);",
    caughtAs: /durability|hole|WalDamage|safety|linearizable/,
  },
  {
    name: "takes a forwarded proposal twice",
    file: "core/raft/leader.ts",
    from: "if (number <= (this.#lastBatches.get(sender) ?? 0)) return false;",
    to: "",
    caughtAs: /not linearizable/,
    faults: "double,delay",
    seeds: 1500,
  },
];

const source = fileURLToPath(new URL("../src", import.meta.url));
const work = fileURLToPath(new URL(`../dist/.mutants-${process.pid}`, import.meta.url));
afterAll(() => rmSync(work, { recursive: true, force: true }));

function mutate({ name, file, from, to }: Mutant): string {
  const target = join(work, name.replaceAll(/[^a-z]+/gi, "-"));
  mkdirSync(dirname(target), { recursive: true });
  cpSync(source, target, { recursive: true });
  const text = readFileSync(join(target, file), "utf8");
  expect(text.split(from), `${file} has this once: ${from}`).toHaveLength(2);
  writeFileSync(join(target, file), text.replace(from, to));
  return target;
}

function node(args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const flags = ["--conditions=nanokube-source", ...args];
    execFile(process.execPath, flags, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}

function simulate(main: string, { seeds = 300, faults }: Mutant): Promise<string> {
  const some = faults === undefined ? [] : ["--faults", faults];
  const flags = ["--seeds", String(seeds), ...some, "--stop-at-first", "--no-minimize"];
  return node([main, ...flags]);
}

test.each(mutants)("caught: $name", { timeout: 300_000 }, async (mutant) => {
  const target = mutate(mutant);
  if (mutant.script !== undefined) {
    const code = `import { commitsOfFigure } from ${JSON.stringify(join(target, mutant.script))};
      console.log(commitsOfFigure());`;
    expect(await node(["--input-type=module", "--eval", code])).toMatch(mutant.caughtAs);
    return;
  }
  const output = await simulate(join(target, "sim", "main.ts"), mutant);
  expect(output).toMatch(/, 1 violations/);
  expect(output).toMatch(mutant.caughtAs);
});

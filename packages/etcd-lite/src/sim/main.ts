/**
 * `npm run sim`: many simulated clusters, one seed each.
 *
 *     npm run sim -- --seeds 500           seeds 1 … 500
 *     npm run sim -- --seed 17             that one again, made smaller if it fails
 *     npm run sim -- --seed 17 --faults crash,tear --ms 900
 *
 * Exit codes  0 nothing found, 1 a violation, 2 wrong arguments
 */
import { parseArgs } from "node:util";
import { minimize } from "./minimize.ts";
import { allFaults, type Fault, simulate } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string" },
    seed: { type: "string" },
    faults: { type: "string" },
    ms: { type: "string" },
    "stop-at-first": { type: "boolean" },
    "no-minimize": { type: "boolean" },
  },
});

async function main(): Promise<number> {
  const faults = (values.faults?.split(",") ?? allFaults) as Fault[];
  const unknown = faults.filter((fault) => !allFaults.includes(fault));
  if (unknown.length > 0) {
    process.stderr.write(`no such fault: ${unknown.join()} (there are ${allFaults.join()})\n`);
    return 2;
  }
  const faultsMs = values.ms === undefined ? undefined : Number(values.ms);
  const first = Number(values.seed ?? values.from ?? 1);
  const count = values.seed === undefined ? Number(values.seeds ?? 500) : 1;
  const startMs = performance.now();
  let violations = 0;
  let events = 0;
  let operations = 0;
  let done = 0;
  for (let seed = first; seed < first + count; seed++) {
    const outcome = await simulate({ seed, faults, faultsMs });
    done++;
    events += outcome.events;
    operations += outcome.operations;
    if (outcome.violation === undefined) continue;
    violations++;
    process.stdout.write(`seed ${seed}: ${outcome.violation.message}\n`);
    if (violations === 1 && !values["no-minimize"]) {
      const small = await minimize({ seed, faults, faultsMs });
      const { faults: left = [], faultsMs: ms = 0 } = small.options;
      process.stdout.write(
        `  smallest: npm run sim -- --seed ${seed} --faults ${left.join()} --ms ${ms}\n` +
          `  ${small.violation.message.split("\n")[0]}\n`,
      );
    }
    if (values["stop-at-first"]) break;
  }
  const seconds = (performance.now() - startMs) / 1000;
  process.stdout.write(
    `${done} seeds, ${violations} violations, ${(done / seconds).toFixed(1)} seeds/s, ` +
      `${events} events, ${operations} operations, ${seconds.toFixed(1)} s\n`,
  );
  return violations === 0 ? 0 : 1;
}

process.exitCode = await main();

/**
 * `npm run bench -- NAME`: benchmarks that run upstream and us side by side and print ratios.
 */
import { Command, InvalidArgumentError } from "commander";

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("must be 1 or more.");
  return value;
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
  .parseAsync()
  .then(() => process.exit(0))
  .catch((error: Error) => {
    process.stderr.write(`Error: ${error.message}\n`);
    process.exit(1);
  });

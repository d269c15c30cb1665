#!/usr/bin/env node
/**
 * labs: start, test and grade a lab.
 *
 * Exit  0 pass   1 fail   2 inconclusive   3 environment (what is missing is named)
 */
import "@nanokube/machinery/require-node";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { exitCodes } from "./core/results.ts";
import { EnvironmentError } from "./core/subject.ts";
import {
  authorCommand,
  diffCommand,
  gradeCommand,
  hintCommand,
  listCommand,
  recordCommand,
  replayCommand,
  startCommand,
  testCommand,
} from "./io/commands.ts";

const whole = (text: string): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("must be a whole number above 0");
};

const subjectHelp = "FILE.ts, reference, etcd:URL, bin:PATH (default: the lab's own file)";
const surroundings = () => ({
  env: process.env,
  write: (text: string) => process.stdout.write(text),
  complain: (text: string) => process.stderr.write(text),
  now: () => new Date(),
});

type Action = (...args: never[]) => Promise<number> | number;

function run(action: Action) {
  return async (...args: unknown[]): Promise<void> => {
    // A call's own timer lets the process end while it waits for a server.
    const awake = setInterval(() => {}, 60_000);
    try {
      const act = action as (...args: unknown[]) => Promise<number>;
      process.exitCode = await act(surroundings(), ...args);
    } finally {
      clearInterval(awake);
    }
  };
}

function createProgram(): Command {
  const program = new Command("labs")
    .description("Graded labs: replace one component with your own, be compared with upstream.")
    .showHelpAfterError()
    .exitOverride();
  program.command("list").description("labs, stages, points").action(run(listCommand));
  program
    .command("start <lab> [dir]")
    .description("copy the starter into a new folder")
    .action(run(startCommand));
  program
    .command("test <lab>")
    .description("a quick run while you work: few seeds, what your program prints is shown")
    .option("-s, --stage <stage>", "one stage")
    .option("--seed <n>", "one seed", whole)
    .option("--seeds <n>", "how many", whole, 4)
    .option("--subject <subject>", subjectHelp)
    .action(run(testCommand));
  program
    .command("grade <lab>")
    .description("the whole grading")
    .option("--subject <subject>", subjectHelp)
    .option("-s, --stage <stage>", "one stage")
    .option("--seeds <n>", "how many", whole, 20)
    .option("--student <name>", "half of the seeds from the course key in $LABS_COURSE_KEY")
    .option("--day <date>", "day of the attempt, YYYY-MM-DD")
    .option("--format <names>", "terminal,json,gradescope,junit,classroom,md", "terminal")
    .option("--out <dir>", "write results.json and the formats there")
    .action(run(gradeCommand));
  program
    .command("replay <id>")
    .description("one failure again, operation by operation: LAB/CHECK/SEED")
    .option("--subject <subject>", subjectHelp)
    .action(run(replayCommand));
  program
    .command("diff <lab>")
    .description("every answer that differs from upstream's")
    .option("--against <what>", "transcript, bin:PATH or etcd:URL", "transcript")
    .option("--subject <subject>", subjectHelp)
    .option("--seeds <n>", "how many, live", whole, 3)
    .action(run(diffCommand));
  program
    .command("hint <lab>")
    .description("a hint for a stage; free, and counted")
    .requiredOption("-s, --stage <stage>", "the stage")
    .option("--more", "one rung further up the ladder")
    .action(run(hintCommand));
  const author = program.command("author").description("for those who write labs");
  author
    .command("check [lab]")
    .description("the grader graded: starter, reference, mutants, cheaters, reports")
    .option("--seeds <n>", "for the reference", whole, 20)
    .option("--update", "write the golden output anew")
    .action(run(authorCommand));
  author
    .command("record <lab>")
    .description("record upstream's answers")
    .requiredOption("--against <binary>", "bin:PATH of an etcd")
    .action(run(recordCommand));
  return program;
}

// What was started ends with the process: "exit" is told, a signal alone would not be.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
// A reader that has seen enough, like head.
process.stdout.on("error", () => process.exit(exitCodes.environment));

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 3;
  else if (error instanceof EnvironmentError) {
    process.stderr.write(`labs: ${error.message}\n`);
    process.exitCode = exitCodes.environment;
  } else throw error;
}

/** Programs that end well, badly, late, or are not there. */
import { expect, test } from "vitest";
import { runCommand } from "./run-command.ts";

const node = (script: string) => [process.execPath, "-e", script];

test("output, input, environment and exit code", async () => {
  const script =
    "process.stdin.pipe(process.stdout); console.error(process.env.WHO); process.exitCode = 3";
  const result = await runCommand(node(script), { input: "hello", env: { WHO: "me" } });
  expect(result).toEqual({ stdout: "hello", stderr: "me\n", code: 3 });
});

test("a program that is not there is 127", async () => {
  const result = await runCommand(["/nonexistent/program"]);
  expect(result).toEqual({
    stdout: "",
    stderr: "/nonexistent/program: command not found",
    code: 127,
  });
});

test("what takes too long, or is not wanted any more, is killed", async () => {
  const forever = node("setInterval(() => {}, 1000)");
  expect((await runCommand(forever, { timeoutMs: 100 })).code).toBe(-1);
  const signal = AbortSignal.timeout(100);
  expect((await runCommand(forever, { signal })).code).toBe(-1);
  expect((await runCommand(forever, { signal })).code).toBe(-1);
});

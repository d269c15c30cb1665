import { IDLE } from "@nanokube/cri-embedded";
import { describe, expect, test } from "vitest";
import { containerLife } from "./container-life.ts";

describe("a container that ends after a second", () => {
  const failing = { ...IDLE, exitAfterSeconds: 1, exitCode: 1 };
  const at = (seconds: number, policy: "Always" | "OnFailure" | "Never") => {
    const life = containerLife({ script: failing, policy, startMs: 0, nowMs: seconds * 1000 });
    const next = life.nextMs === undefined ? undefined : life.nextMs / 1000;
    return [life.state.kind, life.restarts, next];
  };

  // Ends at 1, 2, 13, 34, 75, 156, 317: waits 0, 10, 20, 40, 80, 160 s in between.
  test.for([
    [0, "running", 0, 1],
    [1, "running", 1, 2],
    [2, "backing-off", 1, 12],
    [12, "running", 2, 13],
    [33, "running", 3, 34],
    [34, "backing-off", 3, 74],
    [155, "running", 5, 156],
    [316, "running", 6, 317],
    [317, "backing-off", 6, 617],
    [618, "backing-off", 7, 918],
  ] as const)("after %d s it is %s, run %d, until %d s", ([seconds, ...want]) => {
    expect(at(seconds, "Always")).toEqual(want);
  });

  test("is not started again when the policy says so", () => {
    expect(at(5, "Never")).toEqual(["ended", 0, undefined]);
    const done = { ...failing, exitCode: 0 };
    const life = containerLife({ script: done, policy: "OnFailure", startMs: 0, nowMs: 5000 });
    expect(life.state).toEqual({
      kind: "ended",
      run: { startedMs: 0, endedMs: 1000, exitCode: 0 },
    });
  });
});

test("readiness comes when the script says, and is the next change until then", () => {
  const slow = { ...IDLE, readyAfterSeconds: 3 };
  const early = containerLife({ script: slow, policy: "Always", startMs: 1000, nowMs: 3999 });
  expect(early).toMatchObject({ state: { ready: false }, nextMs: 4000 });
  const late = containerLife({ script: slow, policy: "Always", startMs: 1000, nowMs: 4000 });
  expect(late).toMatchObject({ state: { ready: true }, nextMs: undefined });
});

test("after ten minutes of running a failure is forgiven", () => {
  const long = { ...IDLE, exitAfterSeconds: 600, exitCode: 1 };
  const life = containerLife({ script: long, policy: "Always", startMs: 0, nowMs: 1_800_000 });
  expect(life).toMatchObject({ state: { kind: "running" }, restarts: 3 });
});

test("a refused start says why", () => {
  const refused = { ...IDLE, failStart: "no such file" };
  const life = containerLife({ script: refused, policy: "Always", startMs: 0, nowMs: 0 });
  expect(life.state).toEqual({ kind: "refused", message: "no such file" });
});

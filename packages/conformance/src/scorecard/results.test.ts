import { expect, test } from "vitest";
import { formatPage, merge, parsePage } from "./page.ts";
import { parseSpecs, readReport, type SpecResult, withContainerd, withMissing } from "./results.ts";
import { countLine, nameOfRun, parseRuns, type SuiteRun, withRun } from "./runs.ts";
import { swapsOf } from "./swaps.ts";

const passed: SpecResult = {
  name: "[sig-auth] It should say a | b and <c> [Conformance]",
  outcome: "passed",
  seconds: 1.5,
  message: "",
};
const failed: SpecResult = {
  name: "[sig-cli] It fails",
  outcome: "failed",
  seconds: 3,
  message: "Expected | <nil>",
};
const about = { version: "v1", nodes: 2, conformanceTotal: 446 };

test("a page holds the results it was made of", () => {
  const results = [passed, failed];
  const page = formatPage({ ...about, results });
  expect(parsePage(page)).toEqual(results);
  expect(page).toContain("**1 passed, 1 failed** of 2 specs, of which 1 are [Conformance]");
  const swapped = results.map((result) => ({ ...result, with: "etcd" }));
  expect(parsePage(formatPage({ ...about, results: swapped }))).toEqual(swapped);
});

test("a page holds its runs, the last of each", () => {
  const run: SuiteRun = {
    name: nameOfRun("sigs", "etcd, kubelet"),
    commit: "1234567",
    day: "2026-11-21",
    result: countLine([passed, failed]),
    minutes: 13.5,
  };
  const other = { ...run, name: nameOfRun("quick", undefined) };
  const page = formatPage({ ...about, results: [passed], runs: withRun([run], other) });
  expect(page).toContain("| sigs with etcd, kubelet | 1234567 | 2026-11-21 | 1 passed, 1 failed |");
  expect(parseRuns(page)).toEqual([other, run]);
  expect(parsePage(page)).toEqual([passed]);
  expect(withRun([run], { ...run, minutes: 2 })).toEqual([{ ...run, minutes: 2 }]);
});

test("what is not of the cluster's own, in flags and in words", () => {
  expect(swapsOf({})).toEqual({ args: [], text: undefined });
  const args = ["--etcd", "upstream", "--kube-proxy", "/bin/kube-proxy"];
  expect(swapsOf({ etcd: "upstream", scheduler: "own", kubeProxy: "/bin/kube-proxy" })).toEqual({
    args,
    text: "etcd, kube-proxy",
  });
  expect(swapsOf({ etcdMembers: 3, kubelet: "upstream" })).toEqual({
    args: ["--etcd-members", "3", "--kubelet", "upstream"],
    text: "3 members of etcd-lite, kubelet",
  });
});

test("newer results take the place of older ones of the same cluster", () => {
  const now: SpecResult = { ...failed, outcome: "passed", message: "" };
  expect(merge([passed, failed], [now])).toEqual([passed, now]);
  const elsewhere = { ...now, with: "etcd" };
  expect(merge([failed], [elsewhere])).toEqual([failed, elsewhere]);
});

test("what was listed and not reported is told, with its reason", () => {
  const specs = parseSpecs("# list\n[sig-a] x\n\n[sig-a] y # no image of it\n[sig-a] x\n");
  expect(specs).toEqual([{ name: "[sig-a] x" }, { name: "[sig-a] y", reason: "no image of it" }]);
  expect(withMissing([], specs).map(({ outcome, message }) => [outcome, message])).toEqual([
    ["not run", "the run ended before"],
    ["not run", "no image of it"],
  ]);
});

test("what needs a newer containerd runs where that is, and says so", () => {
  const specs = parseSpecs("[sig-a] x # needs containerd 2.1\n[sig-a] y # never\n[sig-a] z\n");
  const [name, older] = ["[sig-a] x", "needs containerd 2.1, the machine has 1.6.20"];
  expect(withContainerd(specs, "1.6.20")[0]).toEqual({ name, reason: older });
  expect(withContainerd(specs, undefined)[0]?.reason).toContain("the machine has none");
  const met = withContainerd(specs, "2.1.0");
  expect(met).toEqual([{ name, note: "containerd 2.1.0" }, ...specs.slice(1)]);
  const ran = { ...passed, name };
  expect(withMissing([ran, passed], met.slice(0, 1))).toEqual([
    { ...ran, message: "containerd 2.1.0" },
    passed,
  ]);
});

test("a report's specs, without those out of focus", () => {
  const spec = (LeafNodeText: string, State: string, Message = "") => ({
    ContainerHierarchyTexts: ["[sig-a] Pods"],
    LeafNodeType: "It",
    LeafNodeText,
    State,
    RunTime: 2e9,
    Failure: { Message },
  });
  const reports = [
    spec("run", "passed"),
    spec("stop", "timedout", "too late:\nby far"),
    spec("compare", "failed", "Expected\n    <int>: 0\nto equal\n    <int>: 1"),
    spec("x", "skipped"),
  ];
  expect(readReport([{ SpecReports: reports }])).toEqual([
    { name: "[sig-a] Pods run", outcome: "passed", seconds: 2, message: "" },
    { name: "[sig-a] Pods stop", outcome: "failed", seconds: 2, message: "too late: by far" },
    {
      name: "[sig-a] Pods compare",
      outcome: "failed",
      seconds: 2,
      message: "Expected <int>: 0 to equal <int>: 1",
    },
  ]);
});

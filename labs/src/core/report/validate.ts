/**
 * What each platform demands of a report, checked on the text that it would get.
 *
 * Gives the breaches as sentences; none is right.
 */
import { allChecks, type Results, totalEarned } from "../results.ts";
import type { ClassroomReport } from "./classroom.ts";
import { formats } from "./formats.ts";
import type { GradescopeResults } from "./gradescope.ts";

export function invalidReports(results: Results): string[] {
  const found: string[] = [];
  const say = (format: string) => (isRight: boolean, what: string) => {
    if (!isRight) found.push(`${format}: ${what}`);
  };
  checkGradescope(formats["gradescope"]!.render(results), results, say("gradescope"));
  checkClassroom(formats["classroom"]!.render(results), say("classroom"));
  checkJUnit(formats["junit"]!.render(results), results, say("junit"));
  checkMarkdown(formats["markdown"]!.render(results), results, say("markdown"));
  checkTerminal(formats["terminal"]!.render(results), results, say("terminal"));
  return found;
}

type Say = (isRight: boolean, what: string) => void;

function checkGradescope(text: string, results: Results, must: Say): void {
  const report = JSON.parse(text) as GradescopeResults;
  const isJudged = results.verdict === "pass" || results.verdict === "fail";
  must(typeof report.output === "string" && report.output !== "", "output must be text");
  must(Number.isInteger(report.execution_time), "execution_time must be whole seconds");
  must((report.score !== undefined) === isJudged, "a score stands there exactly when it is judged");
  if (!isJudged) {
    must(report.status === "failed", "status must say failed");
    return;
  }
  must(report.score === totalEarned(results), "the score must be the points earned");
  let sum = 0;
  for (const test of report.tests ?? []) {
    sum += test.score;
    must(test.score >= 0 && test.score <= test.max_score, `${test.number}: score out of bounds`);
    must(["passed", "failed"].includes(test.status), `${test.number}: status`);
    must(["text", "md", "html", "ansi"].includes(test.output_format), `${test.number}: format`);
    const visibilities = ["visible", "hidden", "after_due_date", "after_published"];
    must(visibilities.includes(test.visibility), `${test.number}: visibility`);
    must(
      test.tags.every((tag) => typeof tag === "string"),
      `${test.number}: tags`,
    );
  }
  must(sum === report.score, "the tests' scores must add up to the score");
}

function checkClassroom(text: string, must: Say): void {
  const encoded = /^result=([A-Za-z0-9+/]+=*)\n$/.exec(text)?.[1];
  must(encoded !== undefined, "must be one line result=<base64>");
  const bytes = Uint8Array.from(atob(encoded ?? ""), (char) => char.charCodeAt(0));
  const report = JSON.parse(new TextDecoder().decode(bytes)) as ClassroomReport;
  must(report.version === 1, "version must be 1");
  must(["pass", "fail", "error"].includes(report.status), "status");
  const score = report.tests.reduce((sum, test) => sum + test.score, 0);
  const passed = report.tests.filter((test) => test.status === "pass").length;
  must(Number.isInteger(report.max_score), "max_score must be whole");
  must(report.max_score === report.tests.length, "every test must be worth one point");
  must(score === passed, "the sum of scores must be the number of tests passed");
  must(
    report.tests.every((test) => test.line_no === 0),
    "line_no must be 0",
  );
}

function checkJUnit(text: string, results: Results, must: Say): void {
  must(text.startsWith("<?xml "), "must begin with the XML declaration");
  must(isWellFormed(text), "must be well-formed");
  const count = (tag: string) => text.split(`<${tag} `).length - 1;
  const of = (verdict: string) => allChecks(results).filter((c) => c.verdict === verdict).length;
  must(count("testsuite") === results.stages.length, "one suite a stage");
  must(count("testcase") === allChecks(results).length, "one case a check");
  must(count("failure") === of("fail"), "one failure for each failed check");
  must(count("error") === of("environment"), "one error for each environment verdict");
  must(count("skipped") === of("inconclusive"), "one skip for each inconclusive check");
}

/** Tags that open and close in order, and no stray & or <. */
function isWellFormed(text: string): boolean {
  const open: string[] = [];
  const tag = /<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>/g;
  const rest = text.replace(/^<\?xml [^>]*\?>/, "").replaceAll(tag, (_, end, name, _2, alone) => {
    if (end !== "") {
      if (open.pop() !== name) open.push("wrong");
    } else if (alone === "") open.push(name as string);
    return "";
  });
  const entities = /&(amp|lt|gt|quot|#\d+);/g;
  return open.length === 0 && !/[<&]/.test(rest.replaceAll(entities, ""));
}

function checkMarkdown(text: string, results: Results, must: Say): void {
  must(text.startsWith("# Lab "), "must begin with its title");
  const rows = text.split("\n").filter((line) => /^\| [a-z]\./.test(line)).length;
  must(rows === allChecks(results).length, "one row a check");
  const details = text.split("<details>").length;
  must(details === text.split("</details>").length, "every fold must be closed");
}

function checkTerminal(text: string, results: Results, must: Say): void {
  const failed = allChecks(results).filter((check) => check.verdict === "fail");
  for (const check of failed) {
    const places = ["Property", "History", "expected", "got", "Spec"].map((word) =>
      check.message.indexOf(word),
    );
    const isOrdered = places.every((at, i) => at >= 0 && (i === 0 || at > places[i - 1]!));
    must(isOrdered, `${check.id}: the failure must keep its order`);
    must(text.includes(check.message), `${check.id}: the failure must stand in the report`);
  }
  must(text.trimEnd().split("\n").at(-1)!.startsWith(results.verdict), "verdict comes last");
}

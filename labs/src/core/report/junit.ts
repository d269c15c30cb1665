/**
 * JUnit XML: a suite a stage, a case a check; what could not be judged is an error or a skip, never
 * a failure.
 */
import type { CheckResult, Results, StageResult, Verdict } from "../results.ts";

export function junitReport(results: Results): string {
  const suites = results.stages.map((stage) => suite(results, stage));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${attribute(results.lab)}"${counts(results.stages.flatMap((s) => s.checks))}>`,
    ...suites,
    "</testsuites>",
    "",
  ].join("\n");
}

function suite(results: Results, stage: StageResult): string {
  const { seedSet, upstream, driver } = results;
  const properties = {
    seeds: `${seedSet.public} public, ${seedSet.term} term`,
    upstream,
    driver,
    points: `${stage.earned}/${stage.points}`,
  };
  return [
    `  <testsuite name="${attribute(`${stage.id} ${stage.title}`)}"${counts(stage.checks)}>`,
    "    <properties>",
    ...Object.entries(properties).map(
      ([name, value]) => `      <property name="${name}" value="${attribute(value)}"/>`,
    ),
    "    </properties>",
    ...stage.checks.map((check) => testCase(results.lab, check)),
    "  </testsuite>",
  ].join("\n");
}

function counts(checks: readonly CheckResult[]): string {
  const of = (verdict: Verdict) => checks.filter((check) => check.verdict === verdict).length;
  return (
    ` tests="${checks.length}" failures="${of("fail")}"` +
    ` errors="${of("environment")}" skipped="${of("inconclusive")}"`
  );
}

function testCase(lab: string, check: CheckResult): string {
  const open = `    <testcase classname="${attribute(lab)}" name="${attribute(check.id)}"`;
  if (check.verdict === "pass") return `${open}/>`;
  const element = { fail: "failure", environment: "error", inconclusive: "skipped" }[check.verdict];
  const message = attribute(check.property);
  const body = `      <${element} message="${message}">${escaped(check.message)}</${element}>`;
  return `${open}>\n${body}\n    </testcase>`;
}

/** XML 1.0 has no way to write most control characters. */
function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/gu, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

function attribute(text: string): string {
  return escaped(text).replaceAll('"', "&quot;").replaceAll("\n", "&#10;");
}

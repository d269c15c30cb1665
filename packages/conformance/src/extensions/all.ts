/** Every scenario of what users add to an API server: kinds, webhooks, policies. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { conversionScenarios } from "./conversions.ts";
import { customResourceScenarios } from "./custom-resources.ts";
import { definitionLifeScenarios } from "./definition-life.ts";
import { definitionScenarios } from "./definitions.ts";
import { mutationScenarios } from "./mutations.ts";
import { policyScenarios } from "./policies.ts";
import { policyDefinitionScenarios } from "./policy-definitions.ts";
import type { Scenario, StepAnswer } from "./scenario.ts";
import { webhookScenarios } from "./webhooks.ts";

export const topics: Readonly<Record<string, readonly Scenario[]>> = {
  definitions: definitionScenarios,
  "definition-life": definitionLifeScenarios,
  "custom-resources": customResourceScenarios,
  conversions: conversionScenarios,
  "policy-definitions": policyDefinitionScenarios,
  policies: policyScenarios,
  mutations: mutationScenarios,
  webhooks: webhookScenarios,
};

export type Answers = Record<string, StepAnswer[]>;

const fileOf = (topic: string): URL => new URL(`testdata/${topic}.json`, import.meta.url);

/** What upstream answered, by scenario. */
export function recordedAnswers(topic: string): Answers {
  const file = fileOf(topic);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Answers) : {};
}

/** One scenario a line. */
export function writeAnswers(topic: string, answers: Answers): void {
  const names = topics[topic]!.map(({ name }) => name).filter((name) => name in answers);
  const lines = names.map((name) => `${JSON.stringify(name)}: ${JSON.stringify(answers[name])}`);
  writeFileSync(fileOf(topic), `{\n${lines.join(",\n")}\n}\n`);
}

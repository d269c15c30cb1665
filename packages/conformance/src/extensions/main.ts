/**
 * Records what upstream's kube-apiserver answers to every scenario.
 *
 *     node --conditions=nanokube-source packages/conformance/src/extensions/main.ts [words]
 *
 * Needs upstream's kube-apiserver; writes testdata/, which the tests compare ours with. With words,
 * only the scenarios whose names have them are recorded again.
 */
import { apiServerSubjects } from "../subjects/apiserver.ts";
import { recordedAnswers, topics, writeAnswers } from "./all.ts";
import { startHookServer } from "./hook-server.ts";
import { play } from "./scenario.ts";

const [only = ""] = process.argv.slice(2);
const subject = apiServerSubjects().find(({ name }) => name === "kube-apiserver");
if (subject === undefined || subject.skip !== undefined) throw new Error(subject?.skip);
const server = await subject.open();
const hook = await startHookServer();
try {
  for (const [topic, scenarios] of Object.entries(topics)) {
    const answers = recordedAnswers(topic);
    for (const scenario of scenarios) {
      if (!scenario.name.includes(only)) continue;
      try {
        answers[scenario.name] = await play(server, scenario, hook.words);
      } catch (error) {
        process.exitCode = 1;
        process.stderr.write(`${scenario.name}: ${(error as Error).message}\n`);
      }
    }
    writeAnswers(topic, answers);
  }
} finally {
  hook.close();
  await server.close();
}

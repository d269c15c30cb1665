/**
 * The same requests to our API server and to upstream's, answers compared with what upstream answered
 * when they were recorded (`RECORD=1 vitest run packages/conformance/test/rest.test.ts`).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { restCases } from "../src/rest/cases.ts";
import { knownDifferences } from "../src/rest/known-differences.ts";
import { normalize, type Recorded } from "../src/rest/normalize.ts";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

const file = fileURLToPath(new URL("../testdata/rest-answers.json", import.meta.url));
const isRecording = process.env["RECORD"] === "1";
const recorded = isRecording
  ? {}
  : (JSON.parse(readFileSync(file, "utf8")) as Record<string, Recorded>);

/** One case a line, so that a recording reads and compares well. */
function print(answers: Record<string, Recorded>): string {
  const lines = Object.entries(answers).map(
    ([name, answer]) => `${JSON.stringify(name)}: ${JSON.stringify(answer)}`,
  );
  return `{\n${lines.join(",\n")}\n}\n`;
}

for (const subject of apiServerSubjects()) {
  const reason = subject.skip;
  if (isRecording && subject.name === "apiserver") continue;
  describe.skipIf(reason !== undefined)(`${subject.name}${reason ? `: ${reason}` : ""}`, () => {
    let server: ApiServerInstance;
    beforeAll(async () => {
      server = await subject.open();
    });
    afterAll(async () => {
      await server?.close();
      if (isRecording) writeFileSync(file, print(recorded));
    });

    test.for(restCases.map((one) => [one.name, one] as const))("%s", async ([name, one]) => {
      const answer = normalize(await server.send(one));
      if (isRecording) recorded[name] = answer;
      const because = subject.name === "apiserver" ? knownDifferences[name] : undefined;
      if (because === undefined) expect(answer).toEqual(recorded[name]);
      else expect(answer.status, because).toBe(recorded[name]!.status);
    });
  });
}

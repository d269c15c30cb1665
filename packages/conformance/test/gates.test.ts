/**
 * Feature gates at their defaults and at other values. Each answer is what kube-apiserver answered
 * when it was recorded (`RECORD=1 vitest run packages/conformance/test/gates.test.ts`).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { gateCases, switchedGates } from "../src/rest/gate-cases.ts";
import { normalize, type Recorded } from "../src/rest/normalize.ts";
import {
  type ApiServerInstance,
  apiServerSubjects,
  type RestRequest,
} from "../src/subjects/apiserver.ts";

const file = fileURLToPath(new URL("../testdata/gate-answers.json", import.meta.url));
const isRecording = process.env["RECORD"] === "1";
const recorded: Record<string, Record<string, unknown>> = isRecording
  ? {}
  : JSON.parse(readFileSync(file, "utf8"));
const settings = { default: [], switched: [switchedGates] };

for (const subject of apiServerSubjects()) {
  if (isRecording && subject.name === "apiserver") continue;
  describe.skipIf(subject.skip)(`${subject.name}${subject.skip ? `: ${subject.skip}` : ""}`, () => {
    test.for(Object.entries(settings))("gates %s", { timeout: 120_000 }, async ([name, flags]) => {
      const server = await subject.open(flags);
      try {
        const answers = isRecording ? {} : recorded[name]!;
        recorded[name] = answers;
        for (const [what, request] of gateCases) await compare(server, answers, what, request);
      } finally {
        await server.close();
      }
    });
  });
}

afterAll(() => {
  if (isRecording) writeFileSync(file, `${JSON.stringify(recorded, null, 1)}\n`);
});

/** What others have to hear of first (roles, policies) is asked until it is so. */
async function compare(
  server: ApiServerInstance,
  answers: Record<string, unknown>,
  what: string,
  request: RestRequest,
): Promise<void> {
  const ask = async () => comparable(normalize(await server.send(request)));
  const isSafe = request.method === "GET" || request.path.includes("dryRun=All");
  if (isRecording) {
    if (isSafe) await new Promise((resolve) => setTimeout(resolve, 2000));
    answers[what] = await ask();
  } else if (isSafe) {
    await expect.poll(ask, { timeout: 20_000, message: what }).toEqual(answers[what]);
  } else expect(await ask(), what).toEqual(answers[what]);
}

/** Without what other tests compare; of large answers only that they are. */
function comparable(answer: Recorded): unknown {
  const text = JSON.stringify(answer)
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uid>")
    .replaceAll(/"eyJ[\w.-]+"/g, '"<token>"');
  const plain = JSON.parse(text, (key, value) =>
    key === "managedFields" ? undefined : value,
  ) as Recorded;
  if (String(plain.body).startsWith("\u001f")) return { ...plain, body: "<gzip>" };
  return text.length > 100_000 ? { ...plain, body: "<large>" } : plain;
}

/**
 * Servers started in another way than most: Services of two families, admission plugins that are off
 * by default. Each answer, after what differs from run to run is taken away, is what kube-apiserver
 * answered when it was recorded (`RECORD=1 vitest run packages/conformance/test/other-flags.test.ts`).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dualStackCases, dualStackFlags } from "../src/rest/dual-stack-cases.ts";
import { normalize, type Recorded } from "../src/rest/normalize.ts";
import { pluginCases, pluginFlags } from "../src/rest/plugin-cases.ts";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

const file = fileURLToPath(new URL("../testdata/other-flags-answers.json", import.meta.url));
const isRecording = process.env["RECORD"] === "1";
const recorded: Record<string, Recorded> = isRecording
  ? {}
  : JSON.parse(readFileSync(file, "utf8"));

/** What the server picks lies above the band that is left for addresses people name. */
function withoutPicked(answer: Recorded): Recorded {
  const text = JSON.stringify(answer)
    .replaceAll(/\b10\.96\.(?!0\.|255\.255)\d+\.\d+\b/g, "<v4>")
    .replaceAll(/\bfd00:96::(?!ffff\b)[0-9a-f]{3,4}\b/g, "<v6>")
    .replaceAll(/"nodePort":(?!30080)\d+/g, '"nodePort":"<port>"');
  return JSON.parse(text) as Recorded;
}

/** Upstream's allocators hear of a ServiceCIDR through a watch, its authorizer of roles. */
const settles: Record<string, number> = {
  "an address of it": 201,
  "an address of it, then": 422,
  "allocated by who may not bind": 422,
  "allocated by who may bind": 200,
  "a device told of by who is no driver": 422,
  "a device told of by its driver": 200,
};

for (const subject of apiServerSubjects()) {
  const reason = subject.skip;
  if (isRecording && subject.name === "apiserver") continue;
  describe.skipIf(reason !== undefined)(`${subject.name}${reason ? `: ${reason}` : ""}`, () => {
    let server: ApiServerInstance;
    beforeAll(async () => {
      server = await subject.open([...dualStackFlags, ...pluginFlags]);
    });
    afterAll(async () => {
      await server?.close();
      const lines = Object.entries(recorded).map(
        ([name, answer]) => `${JSON.stringify(name)}: ${JSON.stringify(answer)}`,
      );
      if (isRecording) writeFileSync(file, `{\n${lines.join(",\n")}\n}\n`);
    });

    test.for([...dualStackCases, ...pluginCases])("%s", async ([name, request]) => {
      const answer = await eventually(async () => {
        const got = withoutPicked(normalize(await server.send(request)));
        return got.status === (settles[name] ?? got.status) ? got : undefined;
      });
      if (isRecording) recorded[name] = answer;
      expect(answer).toEqual(recorded[name]);
    });
  });
}

async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error("never answered as it should");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * Feature gates at their defaults and at other values. Each answer is what kube-apiserver answered
 * when it was recorded (`RECORD=1 vitest run packages/conformance/test/gates.test.ts`).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type ConnectionOptions, connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { gateCases, switchedFlags } from "../src/rest/gate-cases.ts";
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
const settings = { default: [], switched: switchedFlags };

for (const subject of apiServerSubjects()) {
  if (isRecording && subject.name === "apiserver") continue;
  describe.skipIf(subject.skip)(`${subject.name}${subject.skip ? `: ${subject.skip}` : ""}`, () => {
    test.for(Object.entries(settings))("gates %s", { timeout: 120_000 }, async ([name, flags]) => {
      const server = await subject.open(flags);
      try {
        const answers = isRecording ? {} : recorded[name]!;
        recorded[name] = answers;
        for (const [what, request] of gateCases) await compare(server, answers, what, request);
        const speaks = await howItSpeaks(server);
        if (isRecording) answers["how it speaks"] = speaks;
        expect(speaks).toEqual(answers["how it speaks"]);
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

/** The application protocol, and the cipher of TLS 1.2 for those who come with one. */
async function howItSpeaks(server: ApiServerInstance): Promise<unknown> {
  const { ca } = await server.credentials();
  const port = Number(new URL(server.url).port);
  const ask = (ciphers: string) =>
    new Promise<unknown>((resolve) => {
      const options = { ca, ciphers, maxVersion: "TLSv1.2", ALPNProtocols: ["h2", "http/1.1"] };
      const socket = connect({ host: "127.0.0.1", port, ...options } as ConnectionOptions, () => {
        resolve([socket.alpnProtocol, socket.getCipher().standardName]);
        socket.destroy();
      });
      socket.on("error", () => resolve("refused"));
    });
  const { headers } = await server.send({ method: "GET", path: "/version" });
  return {
    strong: await ask("ECDHE-ECDSA-AES256-GCM-SHA384"),
    usual: await ask("ECDHE-ECDSA-AES128-GCM-SHA256"),
    transportSecurity: headers["strict-transport-security"] ?? "",
  };
}

/** Without what other tests compare; of large answers only that they are. */
function comparable(answer: Recorded): unknown {
  const text = JSON.stringify(answer)
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<uid>")
    .replaceAll(/:\d+\/openid/g, ":<port>/openid")
    .replaceAll(/"eyJ[\w.-]+"/g, '"<token>"');
  const plain = JSON.parse(text, (key, value) =>
    key === "managedFields" ? undefined : value,
  ) as Recorded;
  if (String(plain.body).startsWith("\u001f")) return { ...plain, body: "<gzip>" };
  return text.length > 100_000 ? { ...plain, body: "<large>" } : plain;
}

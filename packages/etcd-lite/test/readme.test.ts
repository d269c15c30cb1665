/** The examples of the README, as they stand there, run. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort, freePorts } from "../../conformance/src/subjects/free-ports.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "etcd-readme-"));
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What an example runs in, and what it must have done. */
const before = `import { nullLog as log, systemClock as clock, systemRandom as random } from "@nanokube/machinery";
`;

function run(name: string, code: string, after: string): string {
  const file = join(directory, `${name}.ts`);
  writeFileSync(file, `${before}${code}${after}`);
  const options = { encoding: "utf8", timeout: 60_000 } as const;
  return execFileSync(process.execPath, ["--conditions=nanokube-source", file], options);
}

test("there are three", () => {
  expect(examples).toHaveLength(3);
});

test("an etcd inside the process, with a client, and on a port", async () => {
  const port = await freePort();
  const data = JSON.stringify(join(directory, "data"));
  const code = examples[0]!.replace("{ dataDir,", `{ dataDir: ${data},`);
  const after = `
const answer = await fetch("http://127.0.0.1:${port}/version");
console.log((await kv.range({ key })).kvs[0].value.toString(), (await answer.json()).etcdserver);
await etcd.close();
`;
  expect(run("one", code.replace("2379", String(port)), after)).toBe("value 3.6.8\n");
});

test("an etcd in memory goes back to a fork", () => {
  const after = `
console.log((await kv.range({ key })).count);
await etcd.close();
`;
  expect(run("fork", examples[1]!, after)).toBe("0\n");
});

test("three members in one process", async () => {
  const ports = await freePorts(3);
  const code = examples[2]!.replace("23801, 23802, 23803", ports.join());
  const after = `
const kv = createClient(members[2].channel(), proto.KV);
await kv.put({ key: Buffer.from("k") });
console.log(members[0].member.state.cluster.members.size, (await kv.range({ key: Buffer.from("k") })).count);
for (const member of members) await member.close();
`;
  expect(run("three", code, after)).toBe("3 1\n");
});

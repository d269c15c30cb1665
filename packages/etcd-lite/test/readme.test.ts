/** The examples of the README, as they stand there, run. */
import { expect, test } from "vitest";
import { freePort, freePorts } from "../../conformance/src/subjects/free-ports.ts";
import { outputOf, readmeExamples } from "../../conformance/src/subjects/readme-example.ts";

const examples = await readmeExamples("etcd-lite");

/** What an example runs in, and what it must have done. */
const before = `import { nullLog as log, systemClock as clock, systemRandom as random } from "@nanokube/machinery";
`;

test("there are three", () => {
  expect(examples).toHaveLength(3);
});

test("an etcd inside the process, with a client, and on a port", async () => {
  const port = await freePort();
  const code = examples[0]!.replace("{ dataDir,", '{ dataDir: "data",');
  const after = `
const answer = await fetch("http://127.0.0.1:${port}/version");
console.log((await kv.range({ key })).kvs[0].value.toString(), (await answer.json()).etcdserver);
await etcd.close();
`;
  expect(await outputOf(`${before}${code.replace("2379", String(port))}${after}`)).toBe(
    "value 3.6.8\n",
  );
});

test("an etcd in memory goes back to a fork", async () => {
  const after = `
console.log((await kv.range({ key })).count);
await etcd.close();
`;
  expect(await outputOf(`${before}${examples[1]!}${after}`)).toBe("0\n");
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
  expect(await outputOf(`${before}${code}${after}`)).toBe("3 1\n");
});

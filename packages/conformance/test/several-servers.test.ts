/**
 * Several API servers on one store, ours and upstream's: each is an endpoint of the kubernetes
 * Service for as long as it lives, and says so in the same place.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ApiServerInstance,
  apiServerSubjects,
  openServer,
} from "../src/subjects/apiserver.ts";
import { findProgram, missing } from "../src/subjects/programs.ts";

const [ours] = apiServerSubjects();
const upstream = findProgram("kube-apiserver");
const slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes";

async function addresses(server: ApiServerInstance): Promise<unknown> {
  const read = async (path: string) =>
    JSON.parse((await server.send({ method: "GET", path })).text) as {
      subsets?: { addresses: { ip: string }[]; ports: unknown }[];
      endpoints?: { addresses: string[] }[];
    };
  const endpoints = await read("/api/v1/namespaces/default/endpoints/kubernetes");
  const slice = await read(slices);
  return {
    endpoints: endpoints.subsets?.map((subset) => subset.addresses.map(({ ip }) => ip)),
    slice: slice.endpoints?.flatMap((endpoint) => endpoint.addresses),
  };
}

const both = { endpoints: [["10.89.0.1", "10.89.0.2"]], slice: ["10.89.0.1", "10.89.0.2"] };
const first = { endpoints: [["10.89.0.1"]], slice: ["10.89.0.1"] };
const patience = { timeout: 30_000, interval: 200 };

const counted = ["--endpoint-reconciler-type=master-count", "--apiserver-count=2"];

describe.each([
  ["lease", []],
  ["number", counted],
])("two servers on one store, known by their %s", (_how, known) => {
  let one: ApiServerInstance;
  beforeAll(async () => {
    one = await ours!.open(known);
  }, 90_000);
  afterAll(() => one?.close());

  const programs = [
    ["ours", [process.execPath, "--conditions=nanokube-source", ourMain()], undefined],
    ["kube-apiserver", [upstream ?? ""], upstream ? undefined : missing("kube-apiserver")],
  ] as const;

  for (const [name, command, skip] of programs) {
    test.skipIf(skip)(
      `${name} joins and leaves`,
      async () => {
        await expect.poll(() => addresses(one), patience).toEqual(first);
        const flags = ["--advertise-address=10.89.0.2", ...known];
        const two = await openServer({ command, flags, storeURL: one.storeURL });
        try {
          await expect.poll(() => addresses(one), patience).toEqual(both);
          expect(await addresses(two)).toEqual(both);
          // Told to end it takes itself out at once: nobody waits for its lease.
          process.kill(two.pid, "SIGTERM");
          await expect.poll(() => addresses(one), patience).toEqual(first);
        } finally {
          await two.close();
        }
      },
      90_000,
    );
  }
});

function ourMain(): string {
  return new URL("../../apiserver/src/main.ts", import.meta.url).pathname;
}

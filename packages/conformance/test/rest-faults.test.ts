/** The store goes and comes back, the server is killed under writes, the other server takes over its data. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";
import { findProgram, missing } from "../src/subjects/programs.ts";

const maps = "/api/v1/namespaces/default/configmaps";
const ours = apiServerSubjects().find((subject) => subject.name === "apiserver")!;

describe("faults", () => {
  let server: ApiServerInstance;
  beforeAll(async () => {
    server = await ours.open();
  });
  afterAll(() => server?.close());

  const create = (name: string) =>
    server.send({ method: "POST", path: maps, body: { metadata: { name }, data: { a: "1" } } });

  test("without its store it answers with an error, and recovers by itself", async () => {
    expect((await create("before")).status).toBe(201);
    await server.killStore();
    const answer = await create("during");
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(JSON.parse(answer.text)).toMatchObject({ kind: "Status", status: "Failure" });
    expect((await server.send({ method: "GET", path: "/readyz" })).status).toBe(500);
    server.startStore();
    await expect.poll(async () => (await create("after")).status, { timeout: 20_000 }).toBe(201);
    const read = await server.send({ method: "GET", path: `${maps}/before` });
    expect(read.status).toBe(200);
  });

  test("kill -9 under writes loses nothing that was acknowledged", async () => {
    const acknowledged: string[] = [];
    let stop = false;
    const writer = async (id: number): Promise<void> => {
      for (let i = 0; !stop; i++) {
        const name = `w-${id}-${i}`;
        const answer = await create(name).catch(() => undefined);
        if (answer?.status === 201) acknowledged.push(name);
      }
    };
    const writers = Array.from({ length: 8 }, (_, id) => writer(id));
    await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(50);
    await server.killServer();
    stop = true;
    await Promise.all(writers);
    await server.startServer();
    const list = await server.send({ method: "GET", path: maps });
    const { items } = JSON.parse(list.text) as { items: { metadata: { name: string } }[] };
    const names = new Set(items.map((item) => item.metadata.name));
    expect(acknowledged.filter((name) => !names.has(name))).toEqual([]);
  });

  const upstream = findProgram("kube-apiserver");
  test.skipIf(upstream === undefined || findProgram("etcd") === undefined)(
    upstream === undefined ? missing("kube-apiserver") : "kube-apiserver takes over, and back",
    async () => {
      const service = { metadata: { name: "s" }, spec: { ports: [{ port: 80 }] } };
      const services = "/api/v1/namespaces/default/services";
      const made = await server.send({ method: "POST", path: services, body: service });
      expect(made.status).toBe(201);
      await server.killServer();
      await server.startServer("kube-apiserver");
      const seen = await server.send({ method: "GET", path: `${services}/s` });
      expect(JSON.parse(seen.text)).toEqual(JSON.parse(made.text));
      const theirs = await server.send({
        method: "POST",
        path: maps,
        body: { metadata: { name: "theirs" } },
      });
      expect(theirs.status).toBe(201);
      await server.killServer();
      await server.startServer();
      const back = await server.send({ method: "GET", path: `${maps}/theirs` });
      expect(JSON.parse(back.text)).toEqual(JSON.parse(theirs.text));
      const roles = await server.send({
        method: "GET",
        path: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
      });
      expect(roles.status).toBe(200);
    },
    90_000,
  );
});

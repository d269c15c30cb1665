/** Who waits for whom, and what is refused when there is too much: on ours and on kube-apiserver. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";

const group = "/apis/flowcontrol.apiserver.k8s.io/v1";
const [ours, upstream] = apiServerSubjects();

describe.each([ours!, upstream!])("$name", ({ open, skip }) => {
  describe("priority and fairness", () => {
    let server: ApiServerInstance;
    beforeAll(async () => {
      if (skip === undefined) server = await open();
    }, 90_000);
    afterAll(() => server?.close());

    const list = async (plural: string) => {
      const { text } = await server.send({ method: "GET", path: `${group}/${plural}` });
      const { items } = JSON.parse(text) as {
        items: { metadata: { name: string; uid: string } }[];
      };
      return items;
    };
    const chosen = async (path: string, token?: string) => {
      const { headers } = await server.send({ method: "GET", path, ...(token ? { token } : {}) });
      const named = async (plural: string, header: string) => {
        const uid = headers[`x-kubernetes-pf-${header}-uid`];
        return (await list(plural)).find(({ metadata }) => metadata.uid === uid)?.metadata.name;
      };
      return [
        await named("flowschemas", "flowschema"),
        await named("prioritylevelconfigurations", "prioritylevel"),
      ];
    };

    test.skipIf(skip)("the objects of the start", async () => {
      const specs = async (plural: string) => {
        const found = (await list(plural)) as unknown as {
          spec: unknown;
          metadata: { name: string };
        }[];
        return found.map(({ metadata, spec }) => [metadata.name, spec]);
      };
      const all = [await specs("flowschemas"), await specs("prioritylevelconfigurations")];
      await expect(`${JSON.stringify(all, null, 1)}\n`).toMatchFileSnapshot(
        "../testdata/flow-control.json",
      );
    });

    test.skipIf(skip)("how busy the levels are, and how much is logged", async () => {
      const path = "/debug/api_priority_and_fairness/dump_priority_levels";
      const dump = await server.send({ method: "GET", path });
      expect([dump.status, dump.headers["content-type"]]).toEqual([
        200,
        "text/plain; charset=utf-8",
      ]);
      const [head = "", ...lines] = dump.text.trimEnd().split("\n");
      expect(head).toBe(
        "PriorityLevelName, ActiveQueues, IsIdle, IsQuiescing, WaitingRequests, ExecutingRequests, DispatchedRequests, RejectedRequests, TimedoutRequests, CancelledRequests",
      );
      const row = (name: string) => lines.find((line) => line.startsWith(`${name},`));
      expect(row("exempt")).toMatch(
        // Executing are this request and what upstream's own loops ask for at the same moment.
        /^exempt, {12}0, {12}false, {2}false, {7}0, {15}[1-9], {17}\d+, {5,15} *0, {16}0, {16}0$/,
      );
      expect(lines.map((line) => line.split(",")[0])).toEqual(
        (await list("prioritylevelconfigurations")).map(({ metadata }) => metadata.name).sort(),
      );
      const flag = (method: string, body?: string) =>
        server.send({ method, path: "/debug/flags/v", ...(body ? { body } : {}) });
      const told = async (...call: Parameters<typeof flag>) => {
        const { status, headers, text } = await flag(...call);
        return [status, headers["content-type"], text];
      };
      const plain = "text/plain";
      expect(await told("GET")).toEqual([406, plain, "unsupported http method\n"]);
      expect(await told("PUT", "x")).toEqual([
        400,
        plain,
        'strconv.ParseUint: parsing "x": invalid syntax\n',
      ]);
      const done = "successfully set klog.logging.verbosity to 0\n";
      expect(await told("PUT", "0")).toEqual([200, plain, done]);
    });

    test.skipIf(skip)("an answer says by which rule it came", async () => {
      expect(await chosen("/api/v1/pods")).toEqual(["exempt", "exempt"]);
      expect(await chosen("/api/v1/pods", "jane-token")).toEqual([
        "global-default",
        "global-default",
      ]);
      expect(await chosen("/healthz", "jane-token")).toEqual(["probes", "exempt"]);
    });
  });

  describe("what a request may be", () => {
    let server: ApiServerInstance;
    beforeAll(async () => {
      if (skip === undefined) server = await open(["--request-timeout=20s"]);
    }, 90_000);
    afterAll(() => server?.close());

    const get = (path: string) => server.send({ method: "GET", path });
    const namespaces = "/api/v1/namespaces";

    test.skipIf(skip)(
      "it may say how long it waits, and is told that it was too long",
      async () => {
        let late = await get(`${namespaces}?timeout=1ns`);
        // Upstream's reader of the store is sometimes first to notice: then it is a 500.
        for (let i = 0; i < 20 && late.status === 500; i++) {
          late = await get(`${namespaces}?timeout=1ns`);
        }
        expect([late.status, late.headers["content-type"], late.text]).toEqual([
          504,
          "text/plain; charset=utf-8",
          '{"metadata":{},"status":"Failure","message":"Timeout: request did not complete within the allotted timeout","reason":"Timeout","details":{},"code":504}\n',
        ]);
        expect(late.headers["x-kubernetes-pf-flowschema-uid"]).toBeUndefined();
        for (const [text, why] of [
          ["x", 'time: invalid duration "x"'],
          ["5", 'time: missing unit in duration "5"'],
          ["5x", 'time: unknown unit "x" in duration "5x"'],
        ]) {
          const answer = await get(`${namespaces}?timeout=${text}`);
          expect(JSON.parse(answer.text)).toMatchObject({
            code: 400,
            reason: "BadRequest",
            message: `invalid timeout specified in the request URL - ${why}`,
          });
        }
        for (const text of ["0s", "-1s", "1h", ""]) {
          expect((await get(`${namespaces}?timeout=${text}`)).status).toBe(200);
        }
      },
    );

    test.skipIf(skip)("its URL may be long, its body may not", async () => {
      expect((await get(`${namespaces}?x=${"y".repeat(100_000)}`)).status).toBe(200);
      const data = { a: "x".repeat(3 * 1024 * 1024) };
      const path = `${namespaces}/default/configmaps`;
      const answer = await server.send({ method: "POST", path, body: { data } });
      expect([answer.status, JSON.parse(answer.text)]).toEqual([
        413,
        {
          kind: "Status",
          apiVersion: "v1",
          metadata: {},
          status: "Failure",
          message: "Request entity too large: limit is 3145728",
          reason: "RequestEntityTooLarge",
          code: 413,
        },
      ]);
      expect((await server.send({ method: "HEAD", path: namespaces })).status).toBe(405);
      expect((await server.send({ method: "HEAD", path: "/version" })).status).toBe(405);
      expect((await server.send({ method: "HEAD", path: "/healthz" })).status).toBe(200);
    });
  });

  describe("limits", () => {
    let server: ApiServerInstance;
    beforeAll(async () => {
      const limits = ["--max-requests-inflight=1", "--max-mutating-requests-inflight=1"];
      if (skip === undefined)
        server = await open(["--enable-priority-and-fairness=false", ...limits]);
    }, 90_000);
    afterAll(() => server?.close());

    test.skipIf(skip)(
      "what is too much is told so, and administrators pass",
      async () => {
        const burst = (token?: string) =>
          Promise.all(
            Array.from({ length: 60 }, () =>
              server.send({ method: "GET", path: "/api/v1/nodes", ...(token ? { token } : {}) }),
            ),
          );
        const body = {
          apiVersion: "rbac.authorization.k8s.io/v1",
          kind: "ClusterRoleBinding",
          metadata: { name: "jane" },
          roleRef: {
            apiGroup: "rbac.authorization.k8s.io",
            kind: "ClusterRole",
            name: "cluster-admin",
          },
          subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "jane" }],
        };
        const path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
        expect((await server.send({ method: "POST", path, body })).status).toBe(201);
        let refused: Awaited<ReturnType<typeof burst>>[number] | undefined;
        for (let attempt = 0; attempt < 20 && refused === undefined; attempt++) {
          refused = (await burst("jane-token")).find(({ status }) => status === 429);
        }
        expect(refused?.text).toBe("Too many requests, please try again later.\n");
        expect(refused?.headers["retry-after"]).toBe("1");
        expect(refused?.headers["content-type"]).toBe("text/plain; charset=utf-8");
        expect((await burst()).map(({ status }) => status)).toEqual(Array(60).fill(200));
      },
      60_000,
    );
  });
});

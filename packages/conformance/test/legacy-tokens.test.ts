/** Which tokens in Secrets upstream's controller manager and ours mark and delete. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ApiServerInstance, apiServerSubjects } from "../src/subjects/apiserver.ts";
import { findUpstream, missingReason } from "../src/upstream/cache.ts";

const skip = missingReason("kube-controller-manager", "etcd");
const source = fileURLToPath(new URL("../../controller-manager/src/main.ts", import.meta.url));
const managers: readonly [string, () => string[]][] = [
  ["kube-controller-manager", () => [findUpstream("kube-controller-manager")!, "--secure-port=0"]],
  ["controller-manager", () => [process.execPath, "--conditions=nanokube-source", source]],
];

const core = "/api/v1/namespaces";
const home = `${core}/legacy`;
const tracking = `${core}/kube-system/configmaps/kube-apiserver-legacy-service-account-token-tracking`;
const lastUsed = "kubernetes.io/legacy-token-last-used";
const invalidSince = "kubernetes.io/legacy-token-invalid-since";
const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const tomorrow = day(Date.now() + 24 * 3_600_000);

type Labels = Record<string, string>;
interface Made {
  labels?: Labels;
  annotations?: Labels;
  type?: string;
}

/** What each is, and whether it is marked, deleted or left. */
const tokens: Readonly<Record<string, Made & { becomes: "marked" | "deleted" | "left" }>> = {
  unused: { becomes: "marked" },
  "long-ago": { labels: { [lastUsed]: "2020-01-01" }, becomes: "marked" },
  "marked-oddly": { labels: { [invalidSince]: "soon" }, becomes: "marked" },
  "marked-with-a-time": { labels: { [invalidSince]: "2020-01-01T00" }, becomes: "marked" },
  "marked-no-day": { labels: { [invalidSince]: "2020-02-31" }, becomes: "marked" },
  "marked-long-ago": { labels: { [invalidSince]: "2020-01-01" }, becomes: "deleted" },
  "marked-just-now": { labels: { [invalidSince]: tomorrow }, becomes: "left" },
  "used-just-now": { labels: { [lastUsed]: tomorrow }, becomes: "left" },
  "used-oddly": { labels: { [lastUsed]: "often" }, becomes: "left" },
  "used-though-marked": {
    labels: { [lastUsed]: tomorrow, [invalidSince]: "2020-01-01" },
    becomes: "left",
  },
  mounted: { becomes: "left" },
  "in-env": { becomes: "left" },
  "pulls-images": { becomes: "left" },
  projected: { becomes: "left" },
  "made-by-hand": { becomes: "left" },
  "of-another-uid": {
    annotations: { "kubernetes.io/service-account.uid": "other" },
    becomes: "left",
  },
  "of-nobody": { annotations: { "kubernetes.io/service-account.name": "none" }, becomes: "left" },
  opaque: { type: "Opaque", becomes: "left" },
};

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p" },
  spec: {
    automountServiceAccountToken: false,
    imagePullSecrets: [{ name: "pulls-images" }],
    containers: [
      {
        name: "c",
        image: "i",
        env: [{ name: "E", valueFrom: { secretKeyRef: { name: "in-env", key: "token" } } }],
      },
    ],
    volumes: [
      { name: "a", secret: { secretName: "mounted" } },
      { name: "b", projected: { sources: [{ secret: { name: "projected" } }] } },
    ],
  },
};

describe.skipIf(skip !== undefined).each(managers)(`%s (${skip ?? "told"})`, (_name, program) => {
  let server: ApiServerInstance;
  let stop: () => Promise<void> = async () => undefined;
  const send = async (method: string, path: string, body?: object) => {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = { "content-type": type };
    const answer = await server.send({ method, path, headers, ...(body && { body }) });
    expect(answer.status, answer.text).toBeLessThan(300);
    return JSON.parse(answer.text);
  };
  beforeAll(async () => {
    server = await apiServerSubjects()[0]!.open();
  }, 90_000);
  afterAll(async () => {
    await stop();
    await server?.close();
  });

  test("what nobody uses is marked, and what is marked for long is deleted", async () => {
    await send("POST", core, { metadata: { name: "legacy" } });
    const listed = Object.keys(tokens).filter((name) => name !== "made-by-hand");
    const account = { metadata: { name: "default" }, secrets: listed.map((name) => ({ name })) };
    await send("POST", `${home}/serviceaccounts`, account);
    for (const [name, { labels = {}, annotations = {}, type }] of Object.entries(tokens)) {
      const owner = { "kubernetes.io/service-account.name": "default", ...annotations };
      const metadata = { name, labels, annotations: owner };
      const kind = type ?? "kubernetes.io/service-account-token";
      await send("POST", `${home}/secrets`, { metadata, type: kind });
    }
    await send("POST", `${home}/pods`, pod);
    await expect
      .poll(() => server.send({ method: "GET", path: tracking }), { timeout: 30_000 })
      .toMatchObject({ status: 200 });
    await send("PATCH", tracking, { data: { since: "2020-01-01" } });

    const only = "--controllers=legacy-service-account-token-cleaner";
    const period = "--legacy-service-account-token-clean-up-period=1ms";
    const flags = [`--kubeconfig=${server.kubeconfig}`, only, period, "--leader-elect=false"];
    const [command = "", ...argv] = [...program(), ...flags];
    const startedMs = Date.now();
    const child = spawn(command, argv, { stdio: "ignore" });
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    stop = () => {
      child.kill("SIGKILL");
      return exited;
    };

    const became = async () => {
      const { items } = await send("GET", `${home}/secrets`);
      type Item = { metadata: { name: string; labels?: Labels } };
      const found = new Map(
        (items as Item[]).map(({ metadata }) => [metadata.name, metadata.labels ?? {}]),
      );
      const today = [day(startedMs), day(Date.now())];
      return Object.fromEntries(
        Object.entries(tokens).map(([name, { labels: before = {} }]) => {
          const labels = found.get(name);
          if (labels === undefined) return [name, "deleted"];
          const { [invalidSince]: since = "", ...others } = labels;
          const { [invalidSince]: sinceBefore = "", ...othersBefore } = before;
          expect(others).toEqual(othersBefore);
          if (since === sinceBefore) return [name, "left"];
          return [name, today.includes(since) ? "marked" : since];
        }),
      );
    };
    const wish = Object.fromEntries(
      Object.entries(tokens).map(([name, { becomes }]) => [name, becomes]),
    );
    await expect.poll(became, { timeout: 60_000 }).toEqual(wish);
  }, 120_000);
});

/** Charging: what is let in is on the bill before the next one asks. */
import type { ResourceQuota } from "@nanokube/api/core/v1";
import { createFakeClock, type KubeObject, StatusError } from "@nanokube/machinery";
import { expect, test } from "vitest";
import type { ObjectReader } from "../../object-reader.ts";
import type { AdmissionAttributes } from "../plugin.ts";
import { createResourceQuota } from "./resource-quota.ts";

const quotaOf = (status: ResourceQuota["status"]): ResourceQuota => ({
  metadata: { name: "q", namespace: "shop", resourceVersion: "1" },
  spec: { hard: { pods: "2" } },
  status,
});

function play(quota: ResourceQuota) {
  let stored = quota;
  let others = 0;
  const writer = {
    read: async () => stored,
    writeStatus: async (bill: ResourceQuota) => {
      if (others > 0) {
        others -= 1;
        const version = Number(stored.metadata?.resourceVersion) + 1;
        stored = { ...stored, metadata: { ...stored.metadata, resourceVersion: String(version) } };
      }
      if (bill.metadata?.resourceVersion !== stored.metadata?.resourceVersion) {
        const status = { code: 409, reason: "Conflict", message: "written meanwhile" };
        throw new StatusError({ kind: "Status", apiVersion: "v1", metadata: {}, ...status });
      }
      const version = Number(bill.metadata?.resourceVersion) + 1;
      stored = { ...bill, metadata: { ...bill.metadata, resourceVersion: String(version) } };
      return stored;
    },
  };
  // A cache that never catches up: what was written must not be forgotten.
  const reader: ObjectReader = {
    list: async () => [quota],
    get: async () => undefined,
    generation: () => 0,
  };
  const plugin = createResourceQuota(createFakeClock(), writer);
  const pod: KubeObject = { metadata: { name: "p", namespace: "shop" }, spec: { containers: [] } };
  const create = (more: Partial<AdmissionAttributes> = {}) =>
    plugin.validate!(
      {
        operation: "CREATE",
        resource: { group: "", version: "v1", plural: "pods", kind: "Pod" },
        subresource: "",
        namespace: "shop",
        name: "p",
        user: { name: "u", groups: [] },
        dryRun: false,
        object: pod,
        options: {},
        warn: () => undefined,
        ...more,
      } as AdmissionAttributes,
      reader,
    );
  return { create, used: () => stored.status?.used, disturb: (times: number) => (others = times) };
}

test("of three at a time two get the two places", async () => {
  const { create, used } = play(quotaOf({ hard: { pods: "2" }, used: { pods: "0" } }));
  const answers = await Promise.allSettled([create(), create(), create()]);
  expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  expect(String((answers[2] as PromiseRejectedResult).reason)).toContain(
    "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2",
  );
  expect(used()).toEqual({ pods: "2" });
});

test("what others write meanwhile is read anew, and not for ever", async () => {
  const { create, used, disturb } = play(quotaOf({ hard: { pods: "2" }, used: { pods: "0" } }));
  disturb(3);
  await create();
  expect(used()).toEqual({ pods: "1" });
  disturb(4);
  await expect(create()).rejects.toThrow("written meanwhile");
});

test("a dry run costs nothing, nor does a quota limit that nobody counted", async () => {
  const dry = play(quotaOf({ hard: { pods: "2" }, used: { pods: "1" } }));
  await dry.create({ dryRun: true });
  expect(dry.used()).toEqual({ pods: "1" });
  const young = play(quotaOf({}));
  await young.create();
  expect(young.used()).toBeUndefined();
  const half = play(quotaOf({ hard: { pods: "2" } }));
  await expect(half.create()).rejects.toThrow("status unknown for quota: q, resources: pods");
});

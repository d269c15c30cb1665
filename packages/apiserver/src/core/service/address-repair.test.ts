/** When an IPAddress that belongs to nobody is given up. */
import type { Service } from "@nanokube/api/core/v1";
import type { IPAddress } from "@nanokube/api/networking/v1";
import { expect, test } from "vitest";
import { type KnownAddresses, repairAddress } from "./address-repair.ts";

const made = Date.parse("2026-01-01T00:00:10Z");
const address: IPAddress = {
  metadata: {
    name: "10.96.0.9",
    creationTimestamp: "2026-01-01T00:00:10Z",
    labels: { "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" },
  },
  spec: { parentRef: { resource: "services", namespace: "n", name: "s" } },
};
const service = (created: string, type = "ClusterIP"): Service => ({
  metadata: { namespace: "n", name: "s", creationTimestamp: created },
  spec: { type, clusterIPs: ["10.96.0.8"] },
});
const known = (of?: Service): KnownAddresses => ({
  isInRange: () => true,
  address: () => address,
  service: () => of,
});
const before = "2026-01-01T00:00:00Z";
const after = "2026-01-01T00:00:20Z";

test.for([
  ["its Service is being written", undefined, 59_000, 1001],
  ["its Service never came", undefined, 61_000, "IPAddressNotAllocated"],
  ["its Service is no name elsewhere any more", service(before, "ExternalName"), 59_000, 1000],
  ["its Service is older: it may be given back", service(before), 4_000, 5_000],
  ["it was not given back", service(before), 6_000, "IPAddressWrongReference"],
  ["its Service is younger and has another", service(after), 4_000, "IPAddressWrongReference"],
] as const)("%s", ([, of, ageMs, expected]) => {
  const { notes, remove, againInMs } = repairAddress(address, known(of), made + ageMs);
  expect(againInMs ?? notes[0]?.reason).toBe(expected);
  expect(remove).toBe(typeof expected === "string");
});

test("what others made is left alone", () => {
  const foreign = { ...address, metadata: { name: "10.96.0.9", labels: {} } };
  expect(repairAddress(foreign, known(), made + 99_000)).toEqual({ notes: [], remove: false });
});

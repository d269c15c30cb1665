import { persistentVolumes, volumeAttributesClasses } from "@nanokube/client";
import { createSeededRandom } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { World } from "../../testing/world.ts";
import { createClassProtectionController } from "./storage-protection.ts";

test("a class of attributes stays while a volume names it, and goes after it", () => {
  const random = createSeededRandom(1);
  const world = new World(createClassProtectionController());
  const name = "gold";
  world.put(volumeAttributesClasses, { metadata: { name }, driverName: "d" });
  world.put(persistentVolumes, {
    metadata: { name: "v" },
    spec: { volumeAttributesClassName: name },
  });
  world.settle(random);
  const found = () => world.get(volumeAttributesClasses, name);
  expect(found()?.metadata?.finalizers).toEqual(["kubernetes.io/vac-protection"]);
  const deletionTimestamp = "2026-01-01T00:00:00Z";
  world.put(volumeAttributesClasses, {
    ...found(),
    driverName: "d",
    metadata: { ...found()?.metadata, deletionTimestamp },
  });
  world.settle(random);
  expect(found()?.metadata?.finalizers).toEqual(["kubernetes.io/vac-protection"]);
  world.put(persistentVolumes, { metadata: { name: "v" }, spec: {} });
  world.settle(random);
  expect(found()?.metadata?.finalizers ?? []).toEqual([]);
});

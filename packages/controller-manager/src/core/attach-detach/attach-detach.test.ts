import { volumeAttachments } from "@nanokube/client";
import { createSeededRandom } from "@nanokube/machinery";
import { expect, test } from "vitest";
import { World } from "../../testing/world.ts";
import { createAttachDetachController } from "./attach-detach.ts";

test("an attachment that somebody made for a volume that is not there is left alone", () => {
  const digests = { sha256: (text: string) => text.padEnd(64, "0") };
  const world = new World(createAttachDetachController(digests as never));
  const attachment = (name: string) => ({
    apiVersion: "storage.k8s.io/v1",
    kind: "VolumeAttachment",
    metadata: { name },
    spec: { attacher: "x", nodeName: "n1", source: { persistentVolumeName: "none" } },
  });
  world.put(volumeAttachments, attachment("by-hand"));
  world.put(volumeAttachments, attachment(`csi-${"0".repeat(64)}`));
  world.settle(createSeededRandom(1));
  expect(world.list(volumeAttachments).map(({ metadata }) => metadata?.name)).toEqual(["by-hand"]);
});

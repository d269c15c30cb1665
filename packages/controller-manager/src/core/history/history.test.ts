import { daemonSets } from "@nanokube/client";
import { expect, test } from "vitest";
import { updateRevision } from "./history.ts";

test("a revision's data is the text that upstream's daemon.Match compares, byte for byte", () => {
  const spec = {
    template: {
      spec: {
        containers: [{ name: "app", image: "x", args: ["b", "a"] }],
        restartPolicy: "Always",
      },
      metadata: { labels: { app: "x" } },
    },
    selector: { matchLabels: { app: "x" } },
  };
  const owner = { kind: "DaemonSet", metadata: { name: "each", namespace: "ns", uid: "1" }, spec };
  const { value } = updateRevision(owner, daemonSets, [], 0).next();
  const [create] = value as unknown as [{ object: { data: unknown } }];
  const { data } = create.object;
  expect(JSON.stringify(data)).toBe(
    '{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"app":"x"}},"spec":' +
      '{"containers":[{"args":["b","a"],"image":"x","name":"app"}],"restartPolicy":"Always"}}}}',
  );
});

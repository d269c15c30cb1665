/** Flags in place of fields, and what kubelet says of those it cannot read. */
import { expect, test } from "vitest";
import { withKeepingFlags } from "./keeping-flags.ts";

test("a flag wins over the file, and what no flag says stays", () => {
  const file = { maxPods: 50, imageGCLowThresholdPercent: 70 };
  const flags = {
    evictionHard: "memory.available<5%, nodefs.available<1Gi",
    maxPods: "9",
    minimumImageTtlDuration: "1m",
  };
  expect(withKeepingFlags(file, flags)).toEqual({
    evictionHard: { "memory.available": "5%", "nodefs.available": "1Gi" },
    imageGCLowThresholdPercent: 70,
    imageMinimumGCAge: "1m",
    maxPods: 9,
  });
});

test("no threshold at all", () => {
  expect(withKeepingFlags({}, { evictionHard: "" })).toEqual({ evictionHard: {} });
});

// Recorded from kubelet 1.36.3.
const refused: [object, string][] = [
  [
    { evictionHard: "memory.available:5" },
    'invalid argument "memory.available:5" for "--eviction-hard" flag: malformed pair, expect string<string',
  ],
  [
    { maxPods: "many" },
    'invalid argument "many" for "--max-pods" flag: strconv.ParseInt: parsing "many": invalid syntax',
  ],
];
test.each(refused)("%j is refused", (flags, why) => {
  expect(() => withKeepingFlags({}, flags)).toThrow(`failed to parse kubelet flag: ${why}`);
});

import { expect, test } from "vitest";
import { SortedKeys } from "./sorted-keys.ts";

test("keys are counted without being walked, from any place, within any prefix", () => {
  const keys = new SortedKeys();
  for (let i = 0; i < 3000; i++) keys.add(`${"abc"[i % 3]}/${(i * 7919) % 3000}`);
  for (let i = 0; i < 3000; i += 5) keys.delete(`${"abc"[i % 3]}/${(i * 7919) % 3000}`);
  for (const prefix of ["", "a/", "b/", "c/", "d/", "A/"]) {
    for (const start of ["", "a/", "a/5", "b/1234", "b/1234\0", "c/9", "c/999999", "d"]) {
      const walked = [...keys.from(start, prefix)].length;
      expect(keys.count(start, prefix), `${prefix} from ${start}`).toBe(walked);
    }
  }
});

import { expect, test } from "vitest";
import * as etcd from "../generated/etcd.ts";
import { readUTF8, writeEscaped } from "./utf8.ts";

const read = (bytes: Buffer) => readUTF8(bytes, 0, bytes.length);

test.each(["61", "c3a9", "efbfbd", "f09f9880", "61e282ac62", ""])(
  "UTF-8 %s is read as it is",
  (hex) => {
    const bytes = Buffer.from(hex, "hex");
    expect(read(bytes)).toBe(bytes.toString());
  },
);

test("what is none is kept: every pair of bytes is a text of its own, and comes back", () => {
  const seen = new Set<string>();
  for (let pair = 0; pair < 0x10000; pair++) {
    const bytes = Buffer.from([pair >> 8, pair & 255]);
    const text = read(bytes);
    seen.add(text);
    if (!text.isWellFormed()) expect(writeEscaped(text)).toEqual(bytes);
  }
  expect(seen.size).toBe(0x10000);
});

test("names that differ in a byte are two names in a message", () => {
  const wire = Buffer.from("0a05610063fb62", "hex");
  const { name } = etcd.AuthRoleAddRequest.decode(wire);
  expect(name).toHaveLength(5);
  expect(Buffer.from(etcd.AuthRoleAddRequest.encode({ name }))).toEqual(wire);
});

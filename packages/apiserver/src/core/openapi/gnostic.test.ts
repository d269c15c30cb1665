/**
 * The samples' protobuf was written by gnostic itself: openapi_v2.ParseDocument(v2.json) and
 * openapi_v3.ParseDocument(v3.json) of github.com/google/gnostic-models v0.7.0, proto.Marshal.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodeV2, encodeV3 } from "./gnostic.ts";

const folder = join(import.meta.dirname, "../../../testdata/gnostic");
const read = (file: string) => readFileSync(join(folder, file));

test.each([
  ["v2", encodeV2],
  ["v3", encodeV3],
] as const)("a sample of %s, byte for byte", (name, encode) => {
  const ours = encode(JSON.parse(read(`${name}.json`).toString()));
  expect(Buffer.from(ours).toString("latin1")).toBe(read(`${name}.pb`).toString("latin1"));
});

test("a message longer than the buffer at start", () => {
  const title = "long ".repeat(100_000);
  const bytes = encodeV3({ openapi: "3.0.0", info: { title, version: "1" } });
  expect(Buffer.from(bytes).includes(title)).toBe(true);
  // openapi 2+5, info 1+3 and in it title 1+3+size, version 2+1.
  expect(bytes.length).toBe(7 + 4 + 4 + title.length + 3);
});

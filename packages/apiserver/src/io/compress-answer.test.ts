import { crc32, gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { ApiRequest, ApiResponse } from "../core/rest/context.ts";
import { combine, compressAnswer } from "./compress-answer.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const request = { headers: { "accept-encoding": "gzip" } } as unknown as ApiRequest;

test.for([0, 1, 2, 7, 255, 256, 100_003])(
  "the checksum of a whole from its parts: %i",
  (length) => {
    const a = bytes("what comes first");
    const b = new Uint8Array(length).map((_, i) => (i * 31) % 251);
    expect(combine(crc32(a), crc32(b), length)).toBe(crc32(Buffer.concat([a, b])));
  },
);

test("a list is one gzip stream, with another head each time", async () => {
  const items = { bytes: bytes('{"metadata":{"name":"pod"}},'.repeat(10_000)), count: 10_000 };
  for (const version of ["7", "12345"]) {
    const head = bytes(`{"kind":"PodList","metadata":{"resourceVersion":"${version}"},"items":[`);
    const list = { head, items, tail: bytes("]}") };
    const response: ApiResponse = { status: 200, headers: {}, body: () => undefined, list };
    const answer = await compressAnswer(request, response);
    expect(answer.headers["content-encoding"]).toBe("gzip");
    expect(answer.list).toBeUndefined();
    const whole = Buffer.concat([head, items.bytes, list.tail]).toString();
    expect(gunzipSync(answer.body as Uint8Array).toString()).toBe(whole);
  }
});

test("what is short, or not wanted so, stays as it is", async () => {
  const short: ApiResponse = { status: 200, headers: {}, body: bytes("short") };
  expect(await compressAnswer(request, short)).toBe(short);
  const long: ApiResponse = { status: 200, headers: {}, body: new Uint8Array(200_000) };
  expect(await compressAnswer({ headers: {} } as ApiRequest, long)).toBe(long);
  expect((await compressAnswer(request, long)).body.length).toBeLessThan(2000);
});

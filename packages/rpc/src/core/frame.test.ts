/** gRPC's framing and its small texts: frames cut anywhere, status texts, timeouts. */
import { describe, expect, test } from "vitest";
import { FrameParser } from "./frame.ts";
import { decodeMessage, encodeMessage } from "./status.ts";
import { formatTimeout, parseTimeout } from "./timeout.ts";

function frame(payload: Buffer, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

describe("frames", () => {
  const messages = [Buffer.alloc(0), Buffer.from("a"), Buffer.alloc(1000, 1), Buffer.from("end")];
  const wire = Buffer.concat(messages.map((m) => frame(m)));

  test("cut at every size of piece, the same messages come out", () => {
    for (let size = 1; size <= wire.length; size++) {
      const parser = new FrameParser(1000);
      const got: Buffer[] = [];
      for (let at = 0; at < wire.length; at += size) {
        got.push(...parser.push(wire.subarray(at, at + size)).map((f) => f.payload));
      }
      expect(Buffer.concat(got.map((m) => frame(m))).equals(wire)).toBe(true);
      expect(parser.isEmpty).toBe(true);
    }
  });

  test("an end within a frame shows", () => {
    const parser = new FrameParser(1000);
    parser.push(wire.subarray(0, wire.length - 1));
    expect(parser.isEmpty).toBe(false);
  });

  test("too long is refused by its head alone, in grpc-go's words", () => {
    const head = frame(Buffer.alloc(1001)).subarray(0, 5);
    const text = "grpc: received message larger than max (1001 vs. 1000)";
    expect(() => new FrameParser(1000).push(head)).toThrow(text);
  });

  test("an unknown flag is refused", () => {
    const text = "grpc: received unexpected payload format 2";
    expect(() => new FrameParser(1000).push(frame(Buffer.alloc(1), 2))).toThrow(text);
  });
});

test.each([
  ["plain text", "plain text"],
  ["100%", "100%25"],
  ["a\nb", "a%0Ab"],
  ["ü", "%C3%BC"],
])("status text %j is %j on the wire", (text, wire) => {
  expect(encodeMessage(text)).toBe(wire);
  expect(decodeMessage(wire)).toBe(text);
});

test("what is no escape stands for itself", () => {
  expect(decodeMessage("50% off %zz %")).toBe("50% off %zz %");
});

test.each([
  [1, "1000u"],
  [0, "0n"],
  [-5, "0n"],
  [99_999_999, "99999999m"],
  [1e9, "1000000S"],
])("a timeout of %d ms is %s", (ms, wire) => {
  expect(formatTimeout(ms)).toBe(wire);
  expect(parseTimeout(wire)).toBe(Math.max(ms, 0));
});

test.each(["", "1", "1x", "123456789S", "-1S", "1.5S"])("%j is no timeout", (wire) => {
  expect(parseTimeout(wire)).toBeUndefined();
});

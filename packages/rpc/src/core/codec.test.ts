/** Messages against bytes known from protobuf's own implementations, and against rubbish. */
import { describe, expect, test } from "vitest";
import * as cri from "../generated/cri.ts";
import * as etcd from "../generated/etcd.ts";
import { message } from "./codec.ts";
import { WireError } from "./wire.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytes = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

interface Everything {
  flag: boolean;
  text: string;
  small: number;
  zigzag: number;
  big: number;
  unsigned: number;
  id: bigint;
  fixed: number;
  real: number;
  list: number[];
  names: string[];
  map: Record<string, number>;
  maybe?: number;
  one?: string;
  other?: number;
  child?: Everything;
}
const Everything = message<Everything>(
  "test.Everything",
  "flag:1:bool text:2:string small:3:int32 zigzag:4:sint32 big:5:int64 unsigned:6:uint64 id:7:int64! fixed:8:fixed32 real:9:double list:10:*int64 names:11:*string map:12:%string,int32 maybe:13:?int32 one:14:string=kind other:15:int32=kind child:16:.test.Everything",
);

// Bytes as Go's google.golang.org/protobuf writes them.
describe.each<[string, Partial<Everything>, string]>([
  ["zero values are not written", { flag: false, text: "", small: 0, list: [] }, ""],
  ["an int32 of -1 takes ten bytes", { small: -1 }, "18 ffffffffffffffffff01"],
  ["zigzag keeps -1 short", { zigzag: -1 }, "20 01"],
  ["the largest safe integer", { big: Number.MAX_SAFE_INTEGER }, "28 ffffffffffffff0f"],
  ["a negative int64", { big: -5 }, "28 fbffffffffffffffff01"],
  ["above 32 bits", { unsigned: 2 ** 40 }, "30 808080808020"],
  ["an identity is a bigint", { id: -(2n ** 63n) }, "38 80808080808080808001"],
  ["fixed32", { fixed: 0x01020304 }, "45 04030201"],
  ["double", { real: 1.5 }, "49 000000000000f83f"],
  ["numbers are packed", { list: [1, 300] }, "52 03 01 ac02"],
  ["texts are not", { names: ["a", ""] }, "5a 01 61 5a 00"],
  ["maps are entries", { map: { k: 7 } }, "62 05 0a 01 6b 10 07"],
  ["optional zero is written", { maybe: 0 }, "68 00"],
  ["a oneof's zero too", { other: 0 }, "78 00"],
  ["an empty child too", { child: {} as Everything }, "8201 00"],
  ["text is UTF-8", { text: "ü🙂" }, "12 06 c3bc f09f9982"],
])("%s", (_, value, wire) => {
  test("encode", () => expect(hex(Everything.encode(value))).toBe(wire.replaceAll(" ", "")));
  test("decode gives it back, whole", () => {
    expect(Everything.decode(bytes(wire))).toEqual(Everything.fill(value));
  });
});

describe("decode", () => {
  test("numbers that are not packed are read as well", () => {
    expect(Everything.decode(bytes("50 01 50 02")).list).toEqual([1, 2]);
  });

  test("of a oneof the last member stays", () => {
    const { one, other } = Everything.decode(bytes("72 01 61 78 05"));
    expect({ one, other }).toEqual({ one: undefined, other: 5 });
  });

  test("unknown fields of every wire type are skipped, groups too", () => {
    const unknown = "a006 05 a906 0000000000000000 b206 02 6869 ad06 00000000 c306 a006 01 c406";
    expect(Everything.decode(bytes(`${unknown} 18 07`)).small).toBe(7);
  });

  test("__proto__ is a map key like any other", () => {
    const { map } = Everything.decode(Everything.encode({ map: JSON.parse('{"__proto__":1}') }));
    expect(Object.keys(map)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
  });

  test("beyond 2^53 an amount is the nearest double", () => {
    expect(Everything.decode(bytes("28 ffffffffffffffff7f")).big).toBe(2 ** 63);
    expect(hex(Everything.encode({ big: 2 ** 63 }))).toBe("28ffffffffffffffff7f");
  });

  test.each([
    ["a varint without end", "28 ffffffffffffffffffffff"],
    ["a length beyond the end", "12 05 61"],
    ["a huge length", "12 ffffffffffffffff7f"],
    ["half a fixed32", "45 0102"],
    ["the wrong wire type", "10 01"],
    ["field 0", "00 00"],
    ["a group without end", "c306 08 01"],
    ["an end without group", "c406"],
  ])("%s is refused", (_, wire) => {
    expect(() => Everything.decode(bytes(wire))).toThrow(WireError);
  });

  test("a hundred and one levels are too many", () => {
    let wire = Buffer.alloc(0);
    for (let i = 0; i <= 101; i++)
      wire =
        Everything.encode({ child: {} as Everything, text: "x".repeat(0) }) &&
        Buffer.concat([bytes("8201"), varint(wire.length), wire]);
    expect(() => Everything.decode(wire)).toThrow("exceeded max recursion depth");
  });
});

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) out.push((rest & 127) | 128);
  return Buffer.from([...out, rest]);
}

/** Repeatable rubbish (xorshift): a failing seed can be run again. */
function* rubbish(seed: number): Generator<number> {
  let x = seed;
  for (;;) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    yield x >>> 0;
  }
}

test("rubbish is refused or read, never anything else", () => {
  const next = rubbish(42);
  const codecs = [Everything, etcd.TxnRequest, etcd.WatchRequest, cri.ContainerConfig];
  const good = etcd.TxnRequest.encode({
    compare: [{ key: bytes("61"), modRevision: 5 }],
    success: [{ requestPut: { key: bytes("61"), value: Buffer.alloc(50), lease: 3n } }],
  });
  for (let round = 0; round < 20_000; round++) {
    const wire = Buffer.from(round % 2 === 0 ? good : Buffer.alloc(next.next().value! % 60));
    const flips = round % 2 === 0 ? 3 : wire.length;
    for (let i = 0; i < flips && wire.length > 0; i++) {
      wire[next.next().value! % wire.length] = next.next().value! & 255;
    }
    for (const codec of codecs) {
      try {
        codec.fill(codec.decode(wire) as never);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }
  }
});

test("what is decoded encodes to the same bytes", () => {
  const value = {
    header: { clusterId: 2n ** 64n - 1n, memberId: 1n, revision: 1e15, raftTerm: 2 },
    kvs: [{ key: bytes("00ff"), value: Buffer.alloc(300, 7), lease: -1n, version: 1 }],
    more: true,
    count: 99,
  };
  const wire = etcd.RangeResponse.encode(value);
  expect(hex(etcd.RangeResponse.encode(etcd.RangeResponse.decode(wire)))).toBe(hex(wire));
  expect(etcd.RangeResponse.fill(value)).toEqual(etcd.RangeResponse.decode(wire));
});

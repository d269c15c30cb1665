import { expect, test } from "vitest";
import { encodeStored, parseTree } from "../storage/canonical.ts";
import { KeptEncodings } from "./kept-encodings.ts";
import { StoredObject } from "./stored-object.ts";

const codec = { encode: encodeStored, decode: parseTree, selectableFields: () => ({}) };
const object = (key: string): StoredObject => new StoredObject(key, 1, new Uint8Array(), codec);

function counting() {
  let made = 0;
  const make = (): Uint8Array => {
    made++;
    return new Uint8Array(40);
  };
  return { make, made: () => made };
}

test("a form is made once, and again only after two generations without use", () => {
  const kept = new KeptEncodings(100);
  const { make, made } = counting();
  const used = object("used");
  const idle = object("idle");
  for (const one of [used, idle]) kept.get(one, "protobuf", make);
  kept.get(used, "protobuf", make);
  expect(made()).toBe(2);
  kept.get(object("a"), "protobuf", make);
  kept.get(used, "protobuf", make);
  expect(made()).toBe(3);
  for (const key of ["b", "c", "d", "e"]) {
    kept.get(object(key), "protobuf", make);
    kept.get(used, "protobuf", make);
  }
  expect(made()).toBe(7);
  kept.get(idle, "protobuf", make);
  expect(made()).toBe(8);
  expect(kept.size).toBeLessThanOrEqual(4);
});

test("a version that is replaced is forgotten at once, and its bytes count no more", () => {
  const kept = new KeptEncodings(100);
  const { make, made } = counting();
  for (let i = 0; i < 50; i++) {
    const one = object(String(i));
    kept.get(one, "protobuf", make);
    kept.forget(one);
  }
  expect(kept.size).toBe(0);
  expect(made()).toBe(50);
});

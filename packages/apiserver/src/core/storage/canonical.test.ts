import { expect, test } from "vitest";
import {
  encodeStored,
  isServedForm,
  layoutOf,
  parseTree,
  replaceRevision,
  withRevision,
} from "./canonical.ts";

const object = {
  data: { a: "1" },
  metadata: { name: "ü", resourceVersion: "5" },
  apiVersion: "v1",
  kind: "ConfigMap",
};
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test("kind, apiVersion and metadata come first, the resourceVersion stays behind", () => {
  expect(text(encodeStored(object))).toBe(
    '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"ü"},"data":{"a":"1"}}',
  );
});

test("the revision is spliced in and replaced without parsing", () => {
  const stored = encodeStored(object);
  const layout = layoutOf(stored)!;
  const served = withRevision(stored, layout, 7);
  expect(parseTree(served)).toEqual({ ...object, metadata: { name: "ü", resourceVersion: "7" } });
  const later = replaceRevision(served, layout, 7, 12345);
  expect(parseTree(later).metadata?.resourceVersion).toBe("12345");
  expect(text(served.subarray(layout.bodyAt))).toMatch(
    /^"metadata":\{"resourceVersion":"7","name"/,
  );
});

test("metadata without members takes it as well", () => {
  const stored = encodeStored({ kind: "K", apiVersion: "v1", metadata: {} });
  expect(text(withRevision(stored, layoutOf(stored)!, 3))).toBe(
    '{"kind":"K","apiVersion":"v1","metadata":{"resourceVersion":"3"}}',
  );
});

test.for(['{"apiVersion":"v1","kind":"K","metadata":{}}', "k8s\0", '{"kind":"a\\"b"', ""])(
  "%s has another layout",
  (value) => {
    expect(layoutOf(new TextEncoder().encode(value))).toBeUndefined();
  },
);

test("a served object is the stored one with its resourceVersion, and no other", () => {
  const metadata = { name: "a", labels: { x: "y" } };
  const object = { kind: "K", apiVersion: "v1", metadata, spec: { a: 1 } };
  const stored = encodeStored(object);
  const layout = layoutOf(stored)!;
  const served = withRevision(stored, layout, 12);
  expect(isServedForm(served, stored, layout, 12)).toBe(true);
  const others = [
    { ...object, spec: { a: 2 } },
    { ...object, spec: {} },
    { ...object, metadata: { labels: { x: "y" } } },
    { ...object, metadata: {} },
  ];
  for (const other of others) {
    expect(isServedForm(served, encodeStored(other), layout, 12)).toBe(false);
  }
});

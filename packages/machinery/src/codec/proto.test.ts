/** Protobuf's edges; that the bytes are upstream's is what test/fixtures.test.ts shows. */
import { expect, test } from "vitest";
import { canonicalize } from "./canonical.ts";
import { decodeEnvelope, decodeObject, encodeEnvelope, encodeObject } from "./envelope.ts";
import { decodeProtobuf } from "./proto-decode.ts";
import { encodeProtobuf } from "./proto-encode.ts";
import { ProtobufError } from "./proto-reader.ts";

const pod = "io.k8s.api.core.v1.Pod";
const schemaProps = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";

test("what code left out comes back as Go's zero values", () => {
  const object = { metadata: { name: "a", generation: 3 }, spec: { containers: [{ name: "c" }] } };
  const back = decodeProtobuf(pod, encodeProtobuf(pod, object));
  expect(back).toEqual(canonicalize(pod, object));
});

test("numbers at the ends of their range, text beyond ASCII", () => {
  const metadata = {
    name: "ü€😀".repeat(40),
    generation: Number.MAX_SAFE_INTEGER,
    deletionGracePeriodSeconds: Number.MIN_SAFE_INTEGER,
  };
  const spec = { containers: null, priority: -(2 ** 31) };
  const back = decodeProtobuf(pod, encodeProtobuf(pod, { metadata, spec }));
  expect(back).toMatchObject({ metadata, spec });
});

test("a schema is itself, a list or a boolean, as it was", () => {
  const schema = {
    type: "object",
    additionalProperties: { type: "string" },
    items: [{ type: "string" }, { type: "integer" }],
    properties: { a: { additionalProperties: false, default: { x: [1, null] } } },
  };
  expect(decodeProtobuf(schemaProps, encodeProtobuf(schemaProps, schema))).toEqual(
    canonicalize(schemaProps, schema),
  );
});

test("an object larger than the writer's buffer", () => {
  const data = Object.fromEntries(
    Array.from({ length: 500 }, (_, i) => [`k${String(i).padStart(3, "0")}`, "x".repeat(1000)]),
  );
  const object = { kind: "ConfigMap", apiVersion: "v1", metadata: {}, data };
  expect(decodeObject(encodeObject(object))).toEqual(object);
});

test("the envelope carries any bytes", () => {
  const raw = Uint8Array.of(1, 2, 3);
  expect(decodeEnvelope(encodeEnvelope("example.com/v1", "Foo", raw))).toEqual({
    apiVersion: "example.com/v1",
    kind: "Foo",
    raw,
    contentType: "",
    contentEncoding: "",
  });
});

test("JSON within is escaped as Go does: upstream compares its bytes", () => {
  const data = { args: ["a && b"] };
  const bytes = encodeObject({ apiVersion: "apps/v1", kind: "ControllerRevision", data });
  const text = new TextDecoder().decode(bytes);
  expect(text).toContain('{"args":["a \\u0026\\u0026 b"]}');
  expect(decodeObject(bytes)).toMatchObject({ data });
});

test("bytes that are cut off or of no known kind are refused", () => {
  const bytes = encodeObject({ apiVersion: "v1", kind: "Pod", metadata: { name: "abc" } });
  expect(() => decodeObject(bytes.subarray(0, bytes.length - 6))).toThrow(ProtobufError);
  expect(() => decodeObject(new Uint8Array())).toThrow("empty data");
  expect(() => decodeObject(new TextEncoder().encode("{}"))).toThrow(
    "expected prefix [107 56 115 0]",
  );
  const unknown = encodeEnvelope("example.com/v1", "Foo", new Uint8Array());
  expect(() => decodeObject(unknown)).toThrow('no kind "Foo" is registered');
});

test("nesting without end is refused", () => {
  let bytes = new Uint8Array();
  for (let i = 0; i < 15_000; i++) {
    const head: number[] = [0xe2, 0x01]; // Field 28, `not`: a schema again.
    for (let n = bytes.length; ; n >>>= 7) {
      head.push(n > 0x7f ? (n & 0x7f) | 0x80 : n);
      if (n <= 0x7f) break;
    }
    const next = new Uint8Array(head.length + bytes.length);
    next.set(head);
    next.set(bytes, head.length);
    bytes = next;
  }
  expect(() => decodeProtobuf(schemaProps, bytes)).toThrow(ProtobufError);
});

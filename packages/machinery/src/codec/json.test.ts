/**
 * Decoding: answers as upstream's decoder gives them (taken by running sigs.k8s.io/json on the same
 * texts).
 */
import { describe, expect, test } from "vitest";
import { DecodeError, decodeJSON, encodeJSON } from "./json.ts";

const pod = "io.k8s.api.core.v1.Pod";
const deployment = "io.k8s.api.apps.v1.Deployment";
const secret = "io.k8s.api.core.v1.Secret";
const lease = "io.k8s.api.coordination.v1.Lease";

describe("what a lenient and a strict reader make of it", () => {
  test("absent structs, lists and quantities are what Go serialises", () => {
    const { object } = decodeJSON('{"spec":{"containers":[{"name":"a"}]}}', pod);
    expect(JSON.stringify(object)).toBe(
      '{"metadata":{},"spec":{"containers":[{"name":"a","resources":{}}]},"status":{}}',
    );
    const empty = decodeJSON('{"spec":{}}', deployment).object;
    expect(JSON.stringify(empty)).toBe(
      '{"metadata":{},"spec":{"selector":null,"template":{"metadata":{},"spec":{"containers":null}},"strategy":{}},"status":{}}',
    );
  });

  test("empty values go, pointers to them stay", () => {
    const text =
      '{"metadata":{"labels":{"b":"1","a":"2"},"finalizers":[]},"spec":{"activeDeadlineSeconds":0,"restartPolicy":"","containers":[null]}}';
    expect(JSON.stringify(decodeJSON(text, pod).object)).toBe(
      '{"metadata":{"labels":{"a":"2","b":"1"}},"spec":{"containers":[{"name":"","resources":{}}],"activeDeadlineSeconds":0},"status":{}}',
    );
  });

  test("times and quantities get their one spelling", () => {
    const text =
      '{"metadata":{"creationTimestamp":"2020-01-01T00:00:00.9+02:00"},"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":0.5}}}]}}';
    const { object } = decodeJSON(text, pod);
    expect(object.metadata?.creationTimestamp).toBe("2019-12-31T22:00:00Z");
    expect(JSON.stringify(object)).toContain('"cpu":"500m"');
  });

  test("strict errors come in the document's order", () => {
    const text =
      '{"spec":{"foo":1,"containers":[{"name":"a","bar":2,"name":"b"}]},"zzz":{},"Spec":1}';
    expect(decodeJSON(text, pod, { strict: true }).strictErrors).toEqual([
      'unknown field "spec.foo"',
      'unknown field "spec.containers[0].bar"',
      'duplicate field "spec.containers[0].name"',
      'unknown field "zzz"',
      'unknown field "Spec"',
    ]);
    expect(decodeJSON(text, pod).strictErrors).toEqual([]);
  });

  test("space before a colon and quotes in annotations are no duplicates", () => {
    const text = '{"metadata" : {"annotations":{"x":"{\\"a\\":\\"b\\"}"}}}';
    expect(decodeJSON(text, pod, { strict: true }).strictErrors).toEqual([]);
  });

  test("without a type only duplicates are objected to", () => {
    const text = '{"kind":"Foo","spec":{"a":[{"b":1,"b":2}]}}';
    const { object, strictErrors } = decodeJSON(text, undefined, { strict: true });
    expect(strictErrors).toEqual(['duplicate field "spec.a[0].b"']);
    expect(object).toEqual({ kind: "Foo", spec: { a: [{ b: 2 }] } });
  });
});

test.for([
  [pod, "{", "unexpected end of JSON input"],
  [pod, "nul", "invalid character ' ' in literal null (expecting 'l')"],
  [pod, "{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
  [pod, '{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  [pod, '{"a":01}', "invalid character '1' after object key:value pair"],
  [pod, "[]", "json: cannot unmarshal array into Go value of type v1.Pod"],
  [
    deployment,
    '{"spec":{"replicas":"3"}}',
    "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
  ],
  [
    pod,
    '{"spec":{"priority":2147483648}}',
    "json: cannot unmarshal number 2147483648 into Go struct field PodSpec.spec.priority of type int32",
  ],
  [
    pod,
    '{"spec":{"containers":{"name":1}}}',
    "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
  ],
  [
    pod,
    '{"spec":{"volumes":[{"name":"v","hostPath":{"path":1}}]}}',
    "json: cannot unmarshal number into Go struct field HostPathVolumeSource.spec.volumes.VolumeSource.hostPath.path of type string",
  ],
  [
    pod,
    '{"metadata":{"creationTimestamp":"x"}}',
    'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
  ],
  [
    pod,
    '{"metadata":{"creationTimestamp":"2020-02-30T00:00:00Z"}}',
    'parsing time "2020-02-30T00:00:00Z": day out of range',
  ],
  [
    pod,
    '{"spec":{"containers":[{"resources":{"limits":{"cpu":"x"}}}]}}',
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [secret, '{"data":{"a":"e A="}}', "illegal base64 data at input byte 1"],
  [
    lease,
    '{"spec":{"renewTime":"2020-01-01T00:00:00Z"}}',
    'parsing time "2020-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
  ],
] as const)("%s refuses %s", ([type, text, message]) => {
  expect(() => decodeJSON(text, type)).toThrow(new DecodeError(message));
});

test("depth is limited, not the stack", () => {
  const text = `{"spec":${"[".repeat(200_000)}`;
  expect(() => decodeJSON(text, pod)).toThrow(DecodeError);
});

test("encoding fills in what code left out, and escapes as Go does", () => {
  const object = { metadata: { annotations: { b: "<&>", a: "" } }, spec: { containers: [] } };
  expect(encodeJSON(pod, object)).toBe(
    '{"metadata":{"annotations":{"a":"","b":"\\u003c\\u0026\\u003e"}},"spec":{"containers":[]},"status":{}}',
  );
});

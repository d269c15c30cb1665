/** Status and field errors: texts as kube-apiserver writes them. */
import { describe, expect, test } from "vitest";
import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
  valueNotFound,
} from "./field-error.ts";
import { FieldPath } from "./field-path.ts";
import { isConflict, isNotFound, statusErrorFromObject, suggestedDelaySeconds } from "./status.ts";
import {
  alreadyExists,
  conflict,
  expired,
  forbidden,
  internalError,
  invalid,
  methodNotSupported,
  notFound,
  serverTimeout,
  tooManyRequests,
} from "./status-errors.ts";

const pods = { group: "", resource: "pods" };
const deployments = { group: "apps", resource: "deployments" };
const spec = FieldPath.root("spec");

test.for([
  [notFound(pods, "x"), 404, "NotFound", 'pods "x" not found'],
  [notFound(deployments, "x"), 404, "NotFound", 'deployments.apps "x" not found'],
  [alreadyExists(pods, "x"), 409, "AlreadyExists", 'pods "x" already exists'],
  [
    conflict(pods, "x"),
    409,
    "Conflict",
    'Operation cannot be fulfilled on pods "x": the object has been modified; please apply your changes to the latest version and try again',
  ],
  [forbidden(pods, "x", "no"), 403, "Forbidden", 'pods "x" is forbidden: no'],
  [forbidden(pods, "", "no"), 403, "Forbidden", "pods is forbidden: no"],
  [forbidden({ group: "", resource: "" }, "", "no"), 403, "Forbidden", "forbidden: no"],
  [expired("too old"), 410, "Expired", "too old"],
  [internalError(new Error("boom")), 500, "InternalError", "Internal error occurred: boom"],
  [
    methodNotSupported(pods, "create"),
    405,
    "MethodNotAllowed",
    'create is not supported on resources of kind "pods"',
  ],
  [
    serverTimeout(pods, "list", 2),
    500,
    "ServerTimeout",
    "The list operation against pods could not be completed at this time, please try again.",
  ],
] as const)("%s", ([error, code, reason, message]) => {
  expect(error.message).toBe(message);
  expect([error.code, error.reason]).toEqual([code, reason]);
  expect(error.status).toMatchObject({ kind: "Status", apiVersion: "v1", status: "Failure" });
});

describe("invalid", () => {
  const name = spec.child("containers").index(0).child("name");

  test("one error stands bare, with its cause", () => {
    const error = invalid({ group: "", kind: "Pod" }, "x", [required(name)]);
    expect(error.message).toBe('Pod "x" is invalid: spec.containers[0].name: Required value');
    expect(error.status.details).toEqual({
      name: "x",
      kind: "Pod",
      causes: [
        {
          reason: "FieldValueRequired",
          message: "Required value",
          field: "spec.containers[0].name",
        },
      ],
    });
  });

  test("several stand in brackets, the same text once, every cause", () => {
    const errors = [required(name), required(name), forbiddenField(spec, "no")];
    const error = invalid({ group: "apps", kind: "Deployment" }, "x", errors);
    expect(error.message).toBe(
      'Deployment.apps "x" is invalid: [spec.containers[0].name: Required value, spec: Forbidden: no]',
    );
    expect(error.status.details?.causes).toHaveLength(3);
  });
});

test.for([
  [invalidValue(spec, "a\n", "why"), 'spec: Invalid value: "a\\n": why'],
  [invalidValue(spec, -1, "why"), "spec: Invalid value: -1: why"],
  [invalidValue(spec, true, ""), "spec: Invalid value: true"],
  [invalidValue(spec, { a: "<" }, "why"), 'spec: Invalid value: {"a":"\\u003c"}: why'],
  [invalidValue(spec, undefined, "why"), "spec: Invalid value: null: why"],
  [duplicate(spec.key("a"), "x"), 'spec[a]: Duplicate value: "x"'],
  [valueNotFound(spec, "x"), 'spec: Not found: "x"'],
  [notSupported(spec, "x", ["A", "B"]), 'spec: Unsupported value: "x": supported values: "A", "B"'],
  [tooLong(spec, "secret", 1), "spec: Too long: may not be more than 1 byte"],
  [tooMany(spec, 3, 2), "spec: Too many: 3: must have at most 2 items"],
  [tooMany(spec, -1, 1), "spec: Too many: must have at most 1 item"],
] as const)("%s", ([error, text]) => {
  expect(String(error)).toBe(text);
});

test("a client knows the error of a served Status again", () => {
  const served = JSON.parse(JSON.stringify(notFound(pods, "x").status)) as unknown;
  const error = statusErrorFromObject(served);
  expect(isNotFound(error)).toBe(true);
  expect(isConflict(error)).toBe(false);
  expect(statusErrorFromObject({ kind: "Pod" })).toBeUndefined();
  expect(suggestedDelaySeconds(tooManyRequests("later", 3))).toBe(3);
  expect(suggestedDelaySeconds(error)).toBeUndefined();
});

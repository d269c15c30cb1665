import { expect, test } from "vitest";
import { timeoutOf } from "./request-deadline.ts";
import { parseRequestInfo } from "./request-info.ts";
import type { ApiRequest } from "./rest/context.ts";

const timeout = (search: string, path = "/api/v1/pods") => {
  const query = new URLSearchParams(search);
  const request = { method: "GET", path, query } as ApiRequest;
  return timeoutOf(request, parseRequestInfo("GET", path, query), 60_000);
};

test("a request may ask for less time than the server gives, not for more", () => {
  expect(timeout("")).toBe(60_000);
  expect(timeout("timeout=5s")).toBe(5000);
  expect(timeout("timeout=1h")).toBe(60_000);
  expect(timeout("timeout=0s")).toBe(60_000);
  expect(timeout("timeout=-1s")).toBe(60_000);
  expect(timeout("watch=1&timeout=5s")).toBeUndefined();
});

// As kube-apiserver 1.36.3 answers.
test.each([
  ["x", 'time: invalid duration "x"'],
  ["5", 'time: missing unit in duration "5"'],
  ["5x", 'time: unknown unit "x" in duration "5x"'],
  ["1s5", 'time: missing unit in duration "1s5"'],
  ["1.s", undefined],
  ["-", 'time: invalid duration "-"'],
])("timeout=%s", (text, why) => {
  if (why === undefined) expect(timeout(`timeout=${text}`)).toBe(1000);
  else {
    const message = `invalid timeout specified in the request URL - ${why}`;
    expect(() => timeout(`timeout=${text}`)).toThrow(message);
  }
});

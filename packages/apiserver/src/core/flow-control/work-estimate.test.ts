/** Seats of lists and of changes, by what upstream's estimators say of the same loads. */
import { expect, test } from "vitest";
import { parseRequestInfo } from "../request-info.ts";
import { estimateWork, seatsMaxOf } from "./work-estimate.ts";

const load = (objects: number, averageBytes: number, watchers = 0) => ({
  objects,
  averageBytes,
  watchersOf: () => watchers,
});

const seats = (method: string, url: string, what = load(5000, 1000), max = 15) => {
  const [path = "", query = ""] = url.split("?");
  const params = new URLSearchParams(query);
  const info = parseRequestInfo(method, path, params);
  const { initialSeats, finalSeats, additionalMs } = estimateWork(info, params, what, max);
  return [initialSeats, finalSeats, additionalMs];
};

test.each([
  ["GET", "/api/v1/namespaces/n/pods/p", [1, 0, 0]],
  // Streamed from the cache: a megabyte at a time.
  ["GET", "/api/v1/pods", [10, 0, 0]],
  ["GET", "/api/v1/pods?limit=500", [5, 0, 0]],
  // Read from the store: all of it at once.
  ["GET", "/api/v1/pods?continue=x&limit=500", [5, 0, 0]],
  ["GET", "/api/v1/pods?resourceVersion=5&resourceVersionMatch=Exact", [15, 0, 0]],
  ["GET", "/api/v1/pods?continue=x&limit=500&labelSelector=a", [15, 0, 0]],
  ["GET", "/api/v1/pods?watch=1&resourceVersion=7", [1, 0, 0]],
  ["GET", "/api/v1/pods?watch=1", [10, 0, 0]],
  ["GET", "/api/v1/pods?watch=1&resourceVersion=7&sendInitialEvents=true", [10, 0, 0]],
])("%s %s takes %o", (method, url, want) => {
  expect(seats(method, url)).toEqual(want);
});

test.each([
  ["POST", 9, [1, 0, 0]],
  ["POST", 10, [1, 1, 5]],
  ["PUT", 55, [1, 6, 5]],
  ["DELETE", 500, [1, 10, 25]],
])("%s with %i watchers takes %o", (method, watchers, want) => {
  const url = "/api/v1/namespaces/n/pods/p";
  expect(seats(method, url, load(1, 1, watchers))).toEqual(want);
});

test("a token for a service account is told to nobody", () => {
  const url = "/api/v1/namespaces/n/serviceaccounts/s/token";
  expect(seats("POST", url, load(1, 1, 100))).toEqual([1, 0, 0]);
});

test("the most that one request of a level takes", () => {
  expect([seatsMaxOf(245, 6), seatsMaxOf(98, 6), seatsMaxOf(10, 8), seatsMaxOf(3, 8)]).toEqual([
    37, 15, 1, 1,
  ]);
});

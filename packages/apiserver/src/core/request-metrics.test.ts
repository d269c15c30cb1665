import { expect, test } from "vitest";
import { parseRequestInfo } from "./request-info.ts";
import { RequestMetrics } from "./request-metrics.ts";

const info = (method: string, path: string) =>
  parseRequestInfo(method, path, new URLSearchParams());

test("requests are counted by what they were and how they ended", () => {
  const metrics = new RequestMetrics();
  const pods = "/api/v1/namespaces/default/pods";
  const record = (method: string, path: string, code: number, seconds: number, contentType = "") =>
    metrics.record({
      info: info(method, path),
      code,
      seconds,
      waitedSeconds: 0,
      contentType,
      isDryRun: false,
      isOwn: method === "PUT",
      sizeBytes: 1234,
    });
  record("POST", pods, 201, 0.004);
  record("POST", pods, 201, 0.3);
  record("GET", pods, 200, 0.01);
  record("PATCH", `${pods}/p`, 200, 0.01, "application/apply-patch+yaml");
  record("PUT", `${pods}/p`, 200, 0.01);
  record("GET", "/livez", 200, 0.01);
  record("GET", "/nothing/of/ours", 404, 0.01);
  record("GET", "/api/v1/watch/pods", 200, 100);
  const lines = metrics.lines();
  const line = (start: string) =>
    lines.filter((one) => one.includes(start) && !one.startsWith("#"));
  const of = (verb: string) =>
    `component="apiserver",dry_run="",group="",resource="pods",scope="resource",subresource="",verb="${verb}",version="v1"`;
  expect(line("apiserver_request_total")).toContain(
    `apiserver_request_total{code="201",${of("POST")}} 2`,
  );
  expect(line("apiserver_selfrequest_total")).toEqual([
    'apiserver_selfrequest_total{group="",resource="pods",subresource="",verb="PUT"} 1',
  ]);
  expect(line('le="1e+06"').length).toBeGreaterThan(0);
  expect(line('verb="APPLY"').length).toBeGreaterThan(0);
  expect(line('verb="LIST"')[0]).toContain('scope="namespace"');
  expect(line('subresource="/livez"').length).toBeGreaterThan(0);
  expect(line("nothing")).toEqual([]);
  expect(
    line("response_sizes_sum").map((one) => one.replace(/.*verb="([A-Z]+)".* /, "$1 ")),
  ).toEqual(["LIST 1234", "GET 1234", "WATCH 1234"]);
  const post = line("request_duration_seconds_bucket").filter((one) => one.includes('verb="POST"'));
  expect(post.find((one) => one.includes('le="0.2"'))).toMatch(/ 1$/);
  expect(post.find((one) => one.includes('le="0.4"'))).toMatch(/ 2$/);
  expect(post.find((one) => one.includes('le="+Inf"'))).toMatch(/ 2$/);
  expect(line("sli_duration_seconds_count").some((one) => one.includes('verb="WATCH"'))).toBe(
    false,
  );
});

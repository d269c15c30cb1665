/**
 * /healthz, /livez, /readyz: one check a line when asked, "ok" otherwise.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/server/healthz/healthz.go
 */
import type { HealthRecords } from "./health-records.ts";
import type { ApiRequest, ApiResponse } from "./rest/context.ts";

export interface HealthCheck {
  name: string;
  /** What is wrong; undefined when all is well. */
  check(): Promise<string | undefined> | string | undefined;
  /** Only readiness depends on it. */
  readyOnly?: boolean;
}

const encoder = new TextEncoder();
const kinds: Readonly<Record<string, string>> = {
  "/healthz": "healthz",
  "/livez": "livez",
  "/readyz": "readyz",
};

/** Undefined when the path is no health path. */
export async function health(
  request: ApiRequest,
  checks: readonly HealthCheck[],
  records?: HealthRecords,
): Promise<ApiResponse | undefined> {
  const [, root = "", ...rest] = request.path.split("/");
  const kind = kinds[`/${root}`];
  if (kind === undefined) return undefined;
  const applicable = checks.filter((check) => kind === "readyz" || !check.readyOnly);
  const name = rest.join("/");
  if (name === "" && rest.length > 0) return undefined;
  if (name !== "") {
    const one = applicable.find((check) => check.name === name);
    if (one === undefined) return undefined;
    const problem = await one.check();
    return problem === undefined
      ? text(200, "ok")
      : text(500, `internal server error: ${problem}\n`);
  }
  const excluded = new Set(request.query.getAll("exclude"));
  const lines: string[] = [];
  const failed: string[] = [];
  for (const check of applicable) {
    if (excluded.delete(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`);
      continue;
    }
    const problem = await check.check();
    records?.note(check.name, kind, problem === undefined);
    if (problem === undefined) lines.push(`[+]${check.name} ok`);
    else {
      failed.push(check.name);
      lines.push(`[-]${check.name} failed: reason withheld`);
    }
  }
  if (excluded.size > 0) {
    const names = [...excluded].map((one) => JSON.stringify(one)).join(",");
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  if (failed.length > 0) {
    return text(500, `${lines.join("\n")}\n${kind} check failed\n`);
  }
  if (!request.query.has("verbose")) return text(200, "ok");
  return text(200, `${lines.join("\n")}\n${kind} check passed\n`);
}

function text(status: number, body: string): ApiResponse {
  const headers = {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
  };
  return { status, headers, body: encoder.encode(body) };
}

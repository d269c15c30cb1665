/**
 * The HTTP side of the client URL: /health, /livez, /readyz, /version, /metrics.
 *
 * Source  etcd v3.6 server/etcdserver/api/etcdhttp/health.go, version.go, metrics.go
 */
import type { HttpHandler, PlainResponse } from "@nanokube/rpc";
import { corruptAlarm, noSpaceAlarm } from "../core/member-state.ts";
import type { Member } from "./member.ts";
import { metricsText } from "./metrics.ts";
import { clusterVersion, serverVersion } from "./version.ts";

const jsonType = { "content-type": "application/json" };
const plainType = { "content-type": "text/plain; charset=utf-8" };

export function createHttpHandler(member: () => Member): HttpHandler {
  return ({ method, path }) => {
    const url = new URL(path, "http://etcd");
    const route = routes[url.pathname];
    if (route === undefined) return notFound;
    if (method !== "GET" && method !== "HEAD") {
      return { status: 405, headers: { ...plainType, allow: "GET" }, body: "Method Not Allowed\n" };
    }
    return route(member(), url.searchParams);
  };
}

const notFound: PlainResponse = { status: 404, headers: plainType, body: "404 page not found\n" };

type Route = (member: Member, query: URLSearchParams) => PlainResponse;

const routes: Readonly<Record<string, Route>> = {
  "/version": () => ({
    status: 200,
    headers: jsonType,
    body: JSON.stringify({
      etcdserver: serverVersion,
      etcdcluster: clusterVersion,
      storage: clusterVersion,
    }),
  }),
  "/health": (member, query) => {
    const reason = unhealthyReason(member, new Set(query.getAll("exclude")));
    const body = JSON.stringify({ health: String(reason === ""), reason });
    return { status: reason === "" ? 200 : 503, headers: jsonType, body };
  },
  "/livez": () => ({ status: 200, headers: plainType, body: "ok\n" }),
  "/readyz": (member) => {
    const reason = unhealthyReason(member, new Set());
    if (reason === "") return { status: 200, headers: plainType, body: "ok\n" };
    return { status: 503, headers: plainType, body: `[-]data_corruption failed: ${reason}\n` };
  },
  "/metrics": (member) => ({ status: 200, headers: metricsType, body: metricsText(member) }),
};

const metricsType = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };

function unhealthyReason({ state, proposals }: Member, excluded: ReadonlySet<string>): string {
  if (proposals.failure !== undefined) return `DISK: ${proposals.failure.message}`;
  for (const [alarm, name] of [
    [noSpaceAlarm, "NOSPACE"],
    [corruptAlarm, "CORRUPT"],
  ] as const) {
    if (state.hasAlarm(alarm) && !excluded.has(name)) return `ALARM ${name}`;
  }
  return "";
}

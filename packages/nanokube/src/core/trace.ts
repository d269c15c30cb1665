/**
 * The way of one object through the cluster, read from the hops that every component logs.
 *
 * Shapes  a hop is a log line {msg: "hop", hop: "scheduler.bind", object: "pods/default/web", …}
 * Units   time in milliseconds since the epoch
 */
export interface Hop {
  time: number;
  hop: string;
  object: string;
  resourceVersion?: string;
  /** What else the component said about it. */
  details: string;
}

const ownFields = new Set([
  "level",
  "time",
  "pid",
  "hostname",
  "job",
  "component",
  "msg",
  "hop",
  "object",
  "resourceVersion",
]);

function detailsOf(line: Record<string, unknown>): string {
  return Object.entries(line)
    .filter(([key]) => !ownFields.has(key))
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}

/** The hops of `object` among lines of a log, in their order. */
export function readHops(log: string, object: string): Hop[] {
  const hops: Hop[] = [];
  for (const text of log.split("\n")) {
    if (!text.includes('"hop"') || !text.includes(object)) continue;
    let line: Record<string, unknown>;
    try {
      line = JSON.parse(text) as Record<string, unknown>;
    } catch {
      continue; // A program's own output between the events.
    }
    if (line["msg"] !== "hop" || line["object"] !== object) continue;
    const version = line["resourceVersion"];
    hops.push({
      time: Number(line["time"]),
      hop: String(line["hop"]),
      object,
      ...(version === undefined ? {} : { resourceVersion: String(version) }),
      details: detailsOf(line),
    });
  }
  return hops;
}

/** One row a hop: milliseconds since the first one, the hop, the version, the reasons. */
export function traceRows(hops: readonly Hop[]): string[][] {
  const sorted = hops.toSorted((a, b) => a.time - b.time);
  const start = sorted[0]?.time ?? 0;
  return sorted.map((hop) => [
    `${hop.time - start} ms`,
    hop.hop,
    hop.resourceVersion ?? "",
    hop.details.length > 100 ? `${hop.details.slice(0, 99)}…` : hop.details,
  ]);
}

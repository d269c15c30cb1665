/**
 * The figures of `npm run bench -- etcd` as a document.
 */
import type { EtcdBenchResult, GrowthResult, RowResult } from "./etcd.ts";

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
/** The tool leaves out percentiles of which it has too few samples. */
const orNone = (value: number, text: string) => (Number.isNaN(value) ? "–" : text);
const digits = (value: number) => (value < 1 ? 2 : value < 10 ? 1 : 0);
const ms = (value: number) => orNone(value, `${value.toFixed(digits(value))} ms`);
const rate = (value: number) => Math.round(value).toLocaleString("en-US");
const ratio = (value: number) => orNone(value, `**${value.toFixed(2)}**`);

const rowHead =
  "| row | etcd-lite | etcd | ratio | p50, p99 ours | p50, p99 etcd | CPU ours | CPU etcd |";
const rowRule = "|---|---|---|---|---|---|---|---|";

export function tablesOf(result: EtcdBenchResult): string {
  const { command, date, machine, load, rounds, members } = result;
  const lines = [
    "# etcd-lite beside etcd 3.6.8",
    "",
    `Made by \`${command}\` on ${date}: ${members} member(s), ${machine.trim()}, medians of ${rounds}`,
    `rounds that take turns, fsync on for both, etcd's \`benchmark\` as the client on the same machine`,
    `(load ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after). Ratios: above 1, ours is`,
    "faster or smaller. CPU is the server's own for one request: what a machine with much else to do",
    "says best; rates and times to start then say more about the machine.",
    "",
    rowHead,
    rowRule,
    ...result.rows.map(rowLine),
    "",
    "| one program | etcd-lite | etcd | ratio |",
    "|---|---|---|---|",
    plainLine("resident after all rows", result.residentBytes, mib),
    plainLine("start, empty store", result.emptyStartMs, ms),
    "",
    ...(result.growth === undefined ? [] : growthLines(result.growth)),
  ];
  return lines.join("\n");
}

function rowLine({ name, by, ours, theirs }: RowResult): string {
  const isRate = by === "rate";
  const show = (value: { rate: number; p50Ms: number }) =>
    isRate ? `${rate(value.rate)}/s` : ms(value.p50Ms);
  const better = isRate ? ours.rate / theirs.rate : theirs.p50Ms / ours.p50Ms;
  const tails = (value: { p50Ms: number; p99Ms: number }) =>
    `${ms(value.p50Ms)}, ${ms(value.p99Ms)}`;
  const cpu = (value: { processorUs: number; requests: number }) =>
    value.requests === 0
      ? ms(value.processorUs / 1000)
      : `${(value.processorUs / value.requests).toFixed(0)} µs`;
  const cells = [name, show(ours), show(theirs), ratio(better), tails(ours), tails(theirs)];
  return `| ${[...cells, cpu(ours), cpu(theirs)].join(" | ")} |`;
}

function plainLine(
  name: string,
  { ours, theirs }: { ours: number; theirs: number },
  show: (value: number) => string,
): string {
  return `| ${name} | ${show(ours)} | ${show(theirs)} | ${ratio(theirs / ours)} |`;
}

function growthLines({ loads, ours, theirs, compacted }: GrowthResult): string[] {
  const lines = [
    rowHead,
    rowRule,
    ...loads.map(rowLine),
    "",
    "| keys of 20 + 256 bytes | | etcd-lite | etcd | ratio |",
    "|---|---|---|---|---|",
  ];
  for (const [i, mine] of ours.entries()) {
    const other = theirs[i]!;
    const add = (name: string, key: keyof typeof mine, show: (value: number) => string) => {
      const count = mine.keys.toLocaleString("en-US");
      const [a, b] = [mine[key], other[key]];
      lines.push(`| ${count} | ${name} | ${show(a)} | ${show(b)} | ${ratio(b / a)} |`);
    };
    const addRate = (name: string, key: "putRate" | "rangeRate") => {
      const [a, b] = [mine[key], other[key]];
      const count = mine.keys.toLocaleString("en-US");
      lines.push(`| ${count} | ${name} | ${rate(a)}/s | ${rate(b)}/s | ${ratio(a / b)} |`);
    };
    add("resident", "residentBytes", mib);
    add("a key more", "bytesPerKey", (bytes) => `${bytes.toFixed(0)} bytes`);
    addRate("put, 100 clients", "putRate");
    addRate("range of one key, 100 clients", "rangeRate");
    add("start after a kill", "startMs", ms);
    add("resident after that start", "startedBytes", mib);
    add("list of all, pages of 500", "listMs", ms);
    add("worst small read during a list of (at most) 100,000", "worstReadMs", ms);
  }
  lines.push("", "| 1000 keys written n times, compacted every 100 | | etcd-lite | etcd | ratio |");
  lines.push("|---|---|---|---|---|");
  for (const [i, mine] of compacted.ours.entries()) {
    const other = compacted.theirs[i]!;
    const { rewrites } = mine;
    const pair = (key: "residentBytes" | "startMs") => ({ ours: mine[key], theirs: other[key] });
    lines.push(plainLine(`${rewrites} | resident`, pair("residentBytes"), mib));
    lines.push(plainLine(`${rewrites} | start after a kill`, pair("startMs"), ms));
  }
  return [...lines, ""];
}

/**
 * `npm run corpus -- record [GROUP…]`   asks kube-apiserver and keeps what it answers
 * `npm run corpus -- compare [GROUP…]`  asks ours and prints what differs, commonest first;
 *                                       --case TEXT, --show N, --width N
 * `npm run corpus -- accept`            writes the list of differences and the scorecard
 */
import { parseArgs } from "node:util";
import { corpus } from "./all.ts";
import { BothServers } from "./both-servers.ts";
import { openInProcess } from "./in-process.ts";
import { removeStrangers, writeKnown } from "./known-differences.ts";
import { writeRecording } from "./recording.ts";
import { type GroupResult, replayGroup, whereOf } from "./replay.ts";
import { runGroup } from "./run.ts";
import { writeScorecard } from "./scorecard.ts";
import { openUpstream } from "./upstream-server.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    show: { type: "string", default: "40" },
    case: { type: "string", default: "" },
    width: { type: "string", default: "300" },
  },
});
const [command = "compare", ...wanted] = positionals;
const groups = corpus().filter(
  ({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)),
);

async function record(): Promise<void> {
  const upstream = new BothServers((beta) =>
    openUpstream(beta ? ["--runtime-config=api/beta=true"] : []),
  );
  let count = 0;
  try {
    for (const group of groups) {
      const answers = await runGroup(group, await upstream.sendOf(group));
      count += answers.size;
      writeRecording(group.name, answers);
      console.log(`${group.name}: ${answers.size}`);
    }
  } finally {
    await upstream.close();
  }
  console.log(`${count} answers recorded`);
}

async function replay(): Promise<GroupResult[]> {
  const ours = new BothServers(openInProcess);
  const results: GroupResult[] = [];
  try {
    for (const group of groups) {
      const result = await replayGroup(group, await ours.sendOf(group));
      console.log(`${group.name}: ${result.differing.size} of ${result.count} differ`);
      results.push(result);
    }
  } finally {
    await ours.close();
  }
  return results;
}

const clip = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "(absent)";
  const width = Number(values.width);
  return text.length > width ? `${text.slice(0, width)}…` : text;
};

/** "the case's family · where": how often. */
function printCauses(results: readonly GroupResult[]): void {
  const counts = new Map<string, number>();
  for (const { differing } of results) {
    for (const [name, differences] of differing) {
      const family = /^(invalid|changed):/.exec(name)?.[1] ?? name;
      const cause = `${family} · ${whereOf(differences)}`;
      counts.set(cause, (counts.get(cause) ?? 0) + 1);
    }
  }
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  for (const [cause, times] of sorted.slice(0, 80)) console.log(`${times}  ${cause}`);
}

async function compare(): Promise<void> {
  const results = await replay();
  printCauses(results);
  const found = results.flatMap(({ group, differing }) =>
    [...differing].map(([name, differences]) => ({ group, name, differences })),
  );
  const asked = found.filter(({ name }) => name.includes(values.case));
  for (const { group, name, differences } of asked.slice(0, Number(values.show))) {
    console.log(`\n## ${group} · ${name}`);
    for (const { path, theirs, ours } of differences.slice(0, 4)) {
      console.log(`  ${path}\n    theirs ${clip(theirs)}\n    ours   ${clip(ours)}`);
    }
  }
  const count = results.reduce((sum, result) => sum + result.count, 0);
  console.log(`${found.length} of ${count} differ`);
}

async function accept(): Promise<void> {
  const results = await replay();
  for (const { group, differing } of results) {
    const known = [...differing].map(([name, list]) => [name, whereOf(list)] as const);
    writeKnown(group, new Map(known));
  }
  if (wanted.length > 0) return;
  removeStrangers(groups.map(({ name }) => name));
  writeScorecard(results);
}

if (command === "record") await record();
else if (command === "accept") await accept();
else await compare();

/**
 * `npm run corpus -- record [GROUP…]` asks kube-apiserver and keeps what it answers;
 * `npm run corpus -- compare [GROUP…] [--show N]` asks ours and prints what differs, most common
 * cause first.
 */
import { parseArgs } from "node:util";
import { corpus } from "./all.ts";
import type { CorpusGroup } from "./corpus-case.ts";
import { type Difference, differencesOf } from "./differences.ts";
import { openInProcess } from "./in-process.ts";
import { readRecording, writeRecording } from "./recording.ts";
import { runGroup } from "./run.ts";
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

const clip = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "(absent)";
  const width = Number(values.width);
  return text.length > width ? `${text.slice(0, width)}…` : text;
};

async function record(): Promise<void> {
  const upstream = await openUpstream();
  let count = 0;
  try {
    for (const group of groups) {
      const answers = await runGroup(group, upstream.send);
      count += answers.size;
      writeRecording(group.name, answers);
      console.log(`${group.name}: ${answers.size}`);
    }
  } finally {
    await upstream.close();
  }
  console.log(`${count} answers recorded`);
}

interface Found {
  group: string;
  name: string;
  differences: Difference[];
}

async function differing(): Promise<{ found: Found[]; count: number }> {
  const ours = await openInProcess();
  const found: Found[] = [];
  let count = 0;
  try {
    for (const group of groups) found.push(...(await compareGroup(group)));
  } finally {
    await ours.close();
  }
  return { found, count };

  async function compareGroup(group: CorpusGroup): Promise<Found[]> {
    const recorded = readRecording(group.name);
    const answers = await runGroup(group, ours.send);
    const list: Found[] = [];
    for (const [name, answer] of answers) {
      const theirs = recorded.get(name);
      if (theirs === undefined) continue;
      count += 1;
      const differences = differencesOf(theirs, answer);
      if (differences.length > 0) list.push({ group: group.name, name, differences });
    }
    console.log(`${group.name}: ${list.length} of ${answers.size} differ`);
    return list;
  }
}

/** "the case's family · where": how often. */
function causes(found: readonly Found[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { name, differences } of found) {
    const [family = ""] = name.split(/ = |: (?=[a-zA-Z]+[.A-Z ])/);
    const where = differences[0]!.path.replaceAll(/\.\d+/g, ".N");
    const cause = `${/^(invalid|changed)/.test(name) ? family.split(":")[0] : name} · ${where}`;
    counts.set(cause, (counts.get(cause) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}

async function compare(): Promise<void> {
  const { found, count } = await differing();
  for (const [cause, times] of causes(found).slice(0, 80)) console.log(`${times}  ${cause}`);
  const show = Number(values.show);
  const asked = found.filter(({ name }) => name.includes(values.case));
  for (const { group, name, differences } of asked.slice(0, show)) {
    console.log(`\n## ${group} · ${name}`);
    for (const { path, theirs, ours } of differences.slice(0, 4)) {
      console.log(`  ${path}\n    theirs ${clip(theirs)}\n    ours   ${clip(ours)}`);
    }
  }
  console.log(`${found.length} of ${count} differ`);
}

if (command === "record") await record();
else await compare();

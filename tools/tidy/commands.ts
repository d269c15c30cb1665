/**
 * Commands that documents tell people to type: do the script, the program, the file exist?
 *
 * Read, not run. Looked at are lines of fenced code blocks that begin with npm, npx, nanokube or
 * node (after a prompt and variables); alternatives (`stop|start`) are looked at one by one.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryFiles, root } from "./sources.ts";

interface Manifest {
  name: string;
  scripts?: Record<string, string>;
  bin?: Record<string, string>;
}

const read = (path: string) => readFileSync(join(root, path), "utf8");
const manifest = (path: string) => JSON.parse(read(path)) as Manifest;

/** Words of npm that are no scripts. */
const npmVerbs = new Set(["ci", "install", "i", "pack", "publish", "link", "exec", "init"]);
/** `npm start` and `npm test` run the script of that name. */
const npmShort = new Set(["start", "test"]);

const documented = /^(README|ARCHITECTURE|CONTRIBUTING)\.md$|^(packages\/[^/]+|labs|docs)\/.*\.md$/;

export interface Command {
  path: string;
  line: number;
  words: string[];
}

export function commandsOf(path: string, text: string): Command[] {
  const commands: Command[] = [];
  let fenced = false;
  for (const [i, line] of text.split("\n").entries()) {
    if (/^\s*```/.test(line)) {
      fenced = !fenced;
      continue;
    }
    const typed = line.trim().replace(/^(\$ )?([A-Z_]+=\S+ )*/, "");
    if (!fenced || !/^(npm|npx|nanokube|node) /.test(typed)) continue;
    // A comment, or a column of explanation, stands two spaces apart.
    const words = typed.split(/\s#|\s{2,}/, 1)[0]!.split(" ");
    commands.push({ path, line: i + 1, words: words.filter((word) => word !== "") });
  }
  return commands;
}

/** What is wrong with a command; undefined when nothing is. */
export function fault({ words }: Command, world: World): string | undefined {
  const [program, first = "", ...rest] = words;
  if (program === "npm") return npmFault(first, rest, world);
  if (program === "npx") return npxFault([first, ...rest], world);
  if (program === "nanokube") return nanokubeFault([first, ...rest], world);
  const file = [first, ...rest].find((word) => !word.startsWith("-"));
  if (file === undefined || /[A-Z]{2,}/.test(file) || existsSync(join(root, file)))
    return undefined;
  return `there is no file ${file}`;
}

export interface World {
  /** Scripts by package; "" is the root. */
  scripts: ReadonlyMap<string, ReadonlySet<string>>;
  bins: ReadonlySet<string>;
  /** Source text of the launcher's command line. */
  launcher: string;
}

export function theWorld(): World {
  const scripts = new Map<string, Set<string>>();
  const bins = new Set<string>();
  const manifests = repositoryFiles().filter((path) => /(^|\/)package\.json$/.test(path));
  for (const path of manifests) {
    const { name, scripts: own = {}, bin = {} } = manifest(path);
    scripts.set(path === "package.json" ? "" : name, new Set(Object.keys(own)));
    for (const program of Object.keys(bin)) bins.add(program);
  }
  return { scripts, bins, launcher: read("packages/nanokube/src/main.ts") };
}

export function documentedCommands(): Command[] {
  return repositoryFiles()
    .filter((path) => documented.test(path))
    .flatMap((path) => commandsOf(path, read(path)));
}

function npmFault(verb: string, rest: readonly string[], world: World): string | undefined {
  const workspace = rest[rest.findIndex((word) => word === "-w" || word === "--workspace") + 1];
  const isInWorkspace = rest.some((word) => word === "-w" || word === "--workspace");
  const name = isInWorkspace ? workspace! : "";
  const known = world.scripts.get(name) ?? new Set();
  if (!world.scripts.has(name)) return `there is no package ${name}`;
  const script = npmShort.has(verb) ? verb : verb === "run" ? rest[0]! : undefined;
  if (script !== undefined) {
    return known.has(script) ? undefined : `${name || "the root"} has no script "${script}"`;
  }
  if (!npmVerbs.has(verb)) return `npm has no command "${verb}"`;
  const ours = rest.filter((word) => /^(@nanokube\/|nanokube$)/.test(word));
  const missing = ours.find((word) => !world.scripts.has(word));
  return missing === undefined ? undefined : `there is no package ${missing}`;
}

function npxFault(words: readonly string[], world: World): string | undefined {
  const at = words.findIndex((word) => !word.startsWith("-"));
  const program = words[at] ?? "";
  if (program === "nanokube") return nanokubeFault(words.slice(at + 1), world);
  const known = world.bins.has(program) || world.scripts.has(program);
  if (known || existsSync(join(root, "node_modules/.bin", program))) return undefined;
  return `there is no program ${program}`;
}

/**
 * Subcommands and flags must stand in the launcher's source; words in capitals are placeholders.
 */
function nanokubeFault(words: readonly string[], { launcher }: World): string | undefined {
  const flags = words.join(" ").match(/--[a-z][a-z-]*/g) ?? [];
  const unknown = flags.find((flag) => !new RegExp(`${flag}(?![a-z-])`).test(launcher));
  if (unknown !== undefined) return `nanokube has no flag ${unknown}`;
  const isGroup = words[0] === "node" || words[0] === "image";
  const subcommands = isGroup ? words.slice(0, 2).flatMap((word) => word.split("|")) : [words[0]!];
  const absent = subcommands.find(
    (word) => /^[a-z]/.test(word) && !new RegExp(`["'\`]${word}["'\` ]`).test(launcher),
  );
  return absent === undefined ? undefined : `nanokube has no command "${absent}"`;
}

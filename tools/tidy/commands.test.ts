/** The reader of documents finds what is wrong, and only that. */
import { expect, test } from "vitest";
import { commandsOf, documentedCommands, fault, theWorld, type World } from "./commands.ts";

const world: World = {
  scripts: new Map([
    ["", new Set(["start", "build"])],
    ["@nanokube/dns", new Set(["bundle"])],
  ]),
  bins: new Set(["labs"]),
  launcher: 'cli.command("up").option("--nodes <n>"); cli.command("node"); for (x of ["stop"])',
};

const faults = (text: string) =>
  commandsOf("README.md", `\`\`\`\n${text}\n\`\`\``).map((command) => fault(command, world));

test.for([
  ["npm start   # runs", undefined],
  ["npm test", 'the root has no script "test"'],
  ["$ npm run build", undefined],
  ["npm run bundle -w @nanokube/dns", undefined],
  ["npm run bundle -w @nanokube/nobody", "there is no package @nanokube/nobody"],
  ["npm install @nanokube/dns execa", undefined],
  ["npm install @nanokube/nobody", "there is no package @nanokube/nobody"],
  ["npm frobnicate", 'npm has no command "frobnicate"'],
  ["npx labs grade", undefined],
  ["npx nobody", "there is no program nobody"],
  ["A=1 npx nanokube up --nodes 3", undefined],
  ["nanokube up [--node N]", "nanokube has no flag --node"],
  ["nanokube node stop|start NAME", 'nanokube has no command "start"'],
  ["nanokube sideways", 'nanokube has no command "sideways"'],
  ["node --conditions=x tools/tidy/commands.ts", undefined],
  ["node tools/nobody.ts", "there is no file tools/nobody.ts"],
] as const)("%s: %s", ([line, want]) => {
  expect(faults(line)).toEqual([want]);
});

test("text outside of code blocks is not read", () => {
  expect(commandsOf("README.md", "npm frobnicate\n")).toEqual([]);
});

test("what the documents tell people to type exists", () => {
  const real = theWorld();
  const wrong = documentedCommands().flatMap((command) => {
    const found = fault(command, real);
    return found === undefined ? [] : [`${command.path}:${command.line}: ${found}`];
  });
  expect(wrong).toEqual([]);
});

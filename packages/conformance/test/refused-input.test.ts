/** Components that are told nonsense: one line that says what, an exit code that is not 0. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const packages = fileURLToPath(new URL("../..", import.meta.url));

async function run(component: string, ...args: string[]) {
  const program = join(packages, component, "src", "main.ts");
  const argv = ["--conditions=nanokube-source", program, ...args];
  const options = { reject: false, stdin: "ignore", timeout: 60_000 } as const;
  const { exitCode, stdout, stderr } = await execa(process.execPath, argv, options);
  return { exitCode, stdout, lines: stderr.trim().split("\n") };
}

describe.concurrent("a flag that nobody has", () => {
  const needed: Record<string, string[]> = {
    apiserver: [],
    "controller-manager": [],
    "cri-embedded": ["--listen=/nowhere/cri.sock", "--root-dir=/nowhere"],
    "csi-hostpath": ["--nodeid=n1", "--endpoint=/nowhere/csi.sock"],
    dns: [],
    "etcd-lite": [],
    "kube-proxy": [],
    kubelet: ["--kubeconfig=/nowhere"],
    scheduler: [],
  };

  test.for(Object.entries(needed))("%s", async ([component, flags], { expect }) => {
    const { exitCode, stdout, lines } = await run(component, ...flags, "--nonsense=1");
    expect(exitCode).toBeGreaterThan(0);
    expect(stdout).toBe("");
    expect(lines).toEqual([expect.stringMatching(/-nonsense/)]);
  });
});

describe("a kubeconfig", () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "nanokube-kubeconfig-"));
    await writeFile(join(dir, "broken"), "apiVersion: v1\nkind: Config\nclusters: [");
    await writeFile(join(dir, "elsewhere"), "apiVersion: v1\nkind: Config\ncurrent-context: gone");
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const files: [string, (path: string) => string][] = [
    ["absent", (path) => `stat ${path}: no such file or directory`],
    ["broken", (path) => `error loading config file "${path}": yaml: line 3: `],
    ["elsewhere", () => 'context "gone" does not exist'],
  ];
  const components = ["controller-manager", "scheduler", "kubelet", "kube-proxy", "dns"];
  // All read it with the same code: each with one is as much as all with all.
  const cases = components.map((component, i) => {
    const [file, want] = files[i % files.length]!;
    return { component, file, want };
  });

  describe.concurrent("that is of no use", () => {
    test.for(cases)("$component: $file", async ({ component, file, want }, { expect }) => {
      const path = join(dir, file);
      const { exitCode, stdout, lines } = await run(component, "--kubeconfig", path);
      expect(exitCode).toBe(1);
      expect(stdout).toBe("");
      expect(lines).toEqual([expect.stringContaining(want(path))]);
    });
  });
});

test("an API server that is told to listen where it may not", async () => {
  const { exitCode, lines } = await run("apiserver", "--etcd-servers=", "--secure-port=70000");
  expect(exitCode).toBe(1);
  expect(lines.every((line) => line.startsWith("Error: "))).toBe(true);
});

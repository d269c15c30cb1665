import { defineConfig } from "vitest/config";

const conditions = ["nanokube-source"];
const resolve = { conditions };
const ssr = { resolve: { conditions, externalConditions: conditions } };
const exclude = ["**/node_modules/**", "**/dist/**"];

/** They change the machine, or look whether it is as it was: interfaces, rules, mounts, containers. */
const machine = ["nanokube", "kubelet", "kube-proxy", "cni-bridge", "csi-hostpath"].map(
  (name) => `packages/${name}/test/**/*.test.ts`,
);

/**
 * Sources are run as they stand, without a build. Tests beside the sources are pure; those under
 * test/ start real processes, on ports and in folders of their own: both run side by side, for they
 * wait more than they work. What concerns the whole machine comes after them, a file at a time.
 */
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: "pure",
          include: ["packages/*/src/**/*.test.ts", "labs/src/**/*.test.ts", "tools/**/*.test.ts"],
          exclude,
          testTimeout: 60_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: "processes",
          include: ["packages/*/test/**/*.test.ts", "labs/test/**/*.test.ts"],
          exclude: [...exclude, ...machine],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: "machine",
          include: machine,
          exclude,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

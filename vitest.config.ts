import { defineConfig } from "vitest/config";

const conditions = ["nanokube-source"];
const resolve = { conditions };
const ssr = { resolve: { conditions, externalConditions: conditions } };

/**
 * Sources are run as they stand, without a build. Tests beside the sources are pure and run side by
 * side; those under test/ start real processes and run one file at a time.
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
          exclude: ["**/node_modules/**", "**/dist/**"],
          testTimeout: 30_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: "system",
          include: ["packages/*/test/**/*.test.ts", "labs/test/**/*.test.ts"],
          exclude: ["**/node_modules/**", "**/dist/**"],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});

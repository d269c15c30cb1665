/**
 * The runtimes that one table of cases is run on: ours, with and without namespaces, and containerd.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nullLog, systemClock, systemRandom } from "@nanokube/machinery";
import { type Channel, dial } from "@nanokube/rpc";
import { createCriEmbedded } from "../src/index.ts";
import { missingForContainerd, startContainerd } from "./containerd.ts";

export interface Subject {
  name: string;
  /** Why it can't run here. */
  skip: string | undefined;
  /** Its streaming server listens in this process's network. */
  reachable: boolean;
  open(): Promise<{ channel: Channel; logDir: string; close(): Promise<void> }>;
}

function embedded(isolation: "auto" | "plain"): Subject {
  return {
    name: `cri-embedded (${isolation})`,
    skip: undefined,
    reachable: true,
    async open() {
      const dir = mkdtempSync(join(tmpdir(), "nk-cri-"));
      const runtime = createCriEmbedded({
        rootDir: join(dir, "root"),
        clock: systemClock,
        random: systemRandom,
        log: nullLog,
        isolation,
      });
      const path = join(dir, "cri.sock");
      await runtime.server.listen({ path });
      const channel = dial(`unix://${path}`);
      return {
        channel,
        logDir: join(dir, "logs"),
        async close() {
          channel.close();
          await runtime.close();
          rmSync(dir, { recursive: true, force: true });
        },
      };
    },
  };
}

const containerd: Subject = {
  name: "containerd",
  skip: missingForContainerd(),
  reachable: false,
  async open() {
    const rig = await startContainerd();
    const channel = dial(`unix://${rig.socket}`);
    return {
      channel,
      logDir: join(rig.dir, "logs"),
      async close() {
        channel.close();
        await rig.stop();
      },
    };
  },
};

export const subjects: readonly Subject[] = [embedded("auto"), embedded("plain"), containerd];

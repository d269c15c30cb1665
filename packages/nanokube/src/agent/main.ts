/** A node's agent as a process; its one argument is the path of its `agent.json`. */
import { readFile } from "node:fs/promises";
import type { AgentConfig } from "../core/agent-config.ts";
import { runAgent } from "../io/agent.ts";
import { runJob } from "../io/job.ts";

void runJob("agent", async (argument, log, signal) => {
  const config = JSON.parse(await readFile(argument, "utf8")) as AgentConfig;
  await runAgent(config, log, signal);
});

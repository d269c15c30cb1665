/** The control plane as a process; its one argument is the data directory. */
import "@nanokube/machinery/tier-up";
import { runControlPlane } from "../io/control-plane.ts";
import { DataDir } from "../io/data-dir.ts";
import { runJob } from "../io/job.ts";

void runJob("control-plane", (argument, log, signal) =>
  runControlPlane(new DataDir(argument), log, signal),
);

#!/usr/bin/env node
/**
 * The driver's command line: the flags of upstream's hostpath driver, for those it has.
 *
 * Exit  0 after a signal; 1 with one line on standard error
 * Source  kubernetes-csi/csi-driver-host-path cmd/hostpathplugin/main.go
 */

import "@nanokube/machinery/require-node";
import { parseQuantity } from "@nanokube/machinery";
import { runCommand as exec } from "@nanokube/machinery/run-command";
import { Command } from "commander";
import { pino } from "pino";
import { createCsiHostpath } from "./io/csi-hostpath.ts";

interface Flags {
  endpoint: string;
  nodeid: string;
  drivername: string;
  statedir: string;
  maxVolumeSize: string;
  maxvolumespernode: string;
  capacity?: string;
  registrationDir?: string;
}

function parseFlags(argv: string[]): Flags {
  return new Command("csi-hostpath")
    .option("--endpoint <url>", "CSI endpoint", "unix:///tmp/csi.sock")
    .requiredOption("--nodeid <id>", "node id")
    .option("--drivername <name>", "name of the driver", "hostpath.csi.k8s.io")
    .option(
      "--statedir <dir>",
      "directory for storing state information across driver restarts",
      "/csi-data-dir",
    )
    .option(
      "--max-volume-size <bytes>",
      "maximum size of volumes in bytes (inclusive)",
      String(2 ** 40),
    )
    .option("--maxvolumespernode <n>", "limit of volumes per node", "0")
    .option("--capacity <quantity>", "of all volumes together; the disk's when absent")
    .option("--registration-dir <dir>", "a kubelet's plugins_registry, to be found by it")
    .parse(argv)
    .opts<Flags>();
}

async function main(): Promise<void> {
  const flags = parseFlags(process.argv);
  const path = /^(?:unix:\/\/)?(\/.+)$/.exec(flags.endpoint)?.[1];
  if (path === undefined) throw new Error(`invalid endpoint: ${flags.endpoint}`);
  const bytes = (text: string) => parseQuantity(text).value();
  const driver = createCsiHostpath({
    dataDir: flags.statedir,
    nodeID: flags.nodeid,
    driverName: flags.drivername,
    maxVolumeSizeBytes: bytes(flags.maxVolumeSize),
    maxVolumesPerNode: Number(flags.maxvolumespernode),
    ...(flags.capacity === undefined ? {} : { capacityBytes: bytes(flags.capacity) }),
    exec,
    log: pino({ level: process.env.LOG_LEVEL ?? "info" }),
  });
  const { registrationDir } = flags;
  await driver.listen({ path, ...(registrationDir === undefined ? {} : { registrationDir }) });
  await new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, resolve);
  });
  await driver.close();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);

/**
 * How hard the faults are: what `npm test` runs in seconds, `npm run faults` runs at full size, by
 * these variables.
 *
 * Units   rates are acknowledged writes a second, the store's outage is in seconds
 */
import { appendFileSync } from "node:fs";
import { bundled } from "../bench/bundled.ts";
import { openServer, type ServerSetup } from "../subjects/apiserver.ts";
import { findProgram } from "../subjects/programs.ts";

export type FaultSubject = "apiserver" | "kube-apiserver";

export interface FaultSettings {
  subject: FaultSubject;
  /** What the rate before the kill must reach; 0 asks for none. */
  rate: number;
  /** Seconds of writes before the kill. */
  writeSeconds: number;
  outageSeconds: number;
  watchers: number;
  /** Rounds of rubbish of each kind, and where their numbers begin. */
  rounds: number;
  seed: string;
}

export function faultSettings(env: NodeJS.ProcessEnv = process.env): FaultSettings {
  return {
    subject: env["FAULTS_ON"] === "kube-apiserver" ? "kube-apiserver" : "apiserver",
    rate: Number(env["FAULTS_RATE"] ?? 0),
    writeSeconds: Number(env["FAULTS_WRITE_SECONDS"] ?? 1),
    outageSeconds: Number(env["FAULTS_OUTAGE_SECONDS"] ?? 0),
    watchers: Number(env["FAULTS_WATCHERS"] ?? 1000),
    rounds: Number(env["FAULTS_ROUNDS"] ?? 100),
    seed: env["FAULTS_SEED"] ?? "rubbish-1",
  };
}

/** The variables that make `settings` of the next process. */
export function faultVariables(settings: FaultSettings): Record<string, string> {
  return {
    FAULTS_ON: settings.subject,
    FAULTS_RATE: String(settings.rate),
    FAULTS_WRITE_SECONDS: String(settings.writeSeconds),
    FAULTS_OUTAGE_SECONDS: String(settings.outageSeconds),
    FAULTS_WATCHERS: String(settings.watchers),
    FAULTS_ROUNDS: String(settings.rounds),
    FAULTS_SEED: settings.seed,
  };
}

/** The subject as it is shipped, one file, on the store of that name. */
export async function openSubject(
  { subject }: FaultSettings,
  store: "etcd" | "etcd-lite",
  directory: string,
) {
  const command =
    subject === "apiserver"
      ? await bundled("apiserver", directory)
      : [findProgram("kube-apiserver")!];
  const setup: ServerSetup = { command };
  if (store === "etcd-lite") setup.store = await bundled("etcd-lite", directory);
  return openServer(setup);
}

/** Shows a figure, and keeps it for the page of `npm run faults`. */
export function figure(name: string, value: number, unit: string): void {
  process.stdout.write(`${name}: ${value.toFixed(value < 100 ? 1 : 0)} ${unit}\n`);
  const file = process.env["FAULTS_FIGURES"];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ name, value, unit })}\n`);
}

/**
 * The iptables programs of one address family.
 *
 * A machine has up to two of them that do not see each other's rules: `iptables` is the one the
 * administrator chose; when it does not work in this kernel, -nft and -legacy are tried.
 *
 * Errors  IptablesError with what the program said
 * Source  kubernetes pkg/util/iptables/iptables.go
 */
import type { Exec } from "@nanokube/machinery";
import type { Family } from "../core/address.ts";
import { canary } from "../core/chains.ts";

export class IptablesError extends Error {
  constructor(program: string, stderr: string, code: number) {
    super(`${program}: exit status ${code}: ${stderr.trim()}`);
    this.name = "IptablesError";
  }
}

export interface Iptables {
  readonly family: Family;
  /** "iptables v1.8.9 (nf_tables)" */
  readonly version: string;
  readonly randomFully: boolean;
  /** All tables, as iptables-save prints them. */
  save(): Promise<string>;
  restore(text: string): Promise<void>;
  /** Are the canary chains still there? Someone may have flushed everything. */
  hasCanaries(): Promise<boolean>;
}

/** Undefined when this family's tables do not work here. */
export async function openIptables(exec: Exec, family: Family): Promise<Iptables | undefined> {
  const base = family === "IPv4" ? "iptables" : "ip6tables";
  for (const name of [base, `${base}-nft`, `${base}-legacy`]) {
    const probe = await exec([name, "-w", "5", "-t", "nat", "-S", "POSTROUTING"]);
    if (probe.code === 0) {
      const { stdout } = await exec([name, "--version"]);
      return iptables(exec, { family, name, version: stdout.trim() });
    }
  }
  return undefined;
}

function iptables(exec: Exec, o: { family: Family; name: string; version: string }): Iptables {
  const run = async (argv: string[], input?: string): Promise<string> => {
    const { stdout, stderr, code } = await exec(argv, input === undefined ? {} : { input });
    if (code !== 0) throw new IptablesError(argv[0]!, stderr, code);
    return stdout;
  };
  return {
    family: o.family,
    version: o.version,
    randomFully: isAtLeast(o.version, [1, 6, 2]),
    save: () => run([`${o.name}-save`]),
    async restore(text) {
      const flags = ["-w", "5", "--noflush", "--counters"];
      await run([`${o.name}-restore`, ...flags], text);
    },
    async hasCanaries() {
      for (const table of ["mangle", "nat", "filter"]) {
        const { code } = await exec([o.name, "-w", "5", "-t", table, "-S", canary]);
        if (code !== 0) return false;
      }
      return true;
    },
  };
}

function isAtLeast(version: string, wanted: readonly number[]): boolean {
  const numbers = /v(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [];
  for (const [i, number] of wanted.entries()) {
    if ((numbers[i] ?? 0) !== number) return (numbers[i] ?? 0) > number;
  }
  return true;
}

/** Which release an etcd binary is of. */
import { execFileSync } from "node:child_process";

/** "3.6.8" of an etcd binary. */
export function etcdVersion(binary: string): string {
  const text = execFileSync(binary, ["--version"], { encoding: "utf8" });
  return /etcd Version: (\S+)/.exec(text)?.[1] ?? "unknown";
}

/**
 * What an apply is told when somebody else owns what it wants to change.
 *
 * Source  k8s.io/apimachinery/pkg/util/managedfields/internal/conflict.go
 */
import { quoteGo } from "../go-text.ts";
import type { StatusError } from "../status.ts";
import { applyConflict } from "../status-errors.ts";
import { formatPath, type Path } from "./fields-v1.ts";
import type { ManagerIdentity } from "./managers.ts";

export interface Conflict {
  /** The identifier of who owns the path. */
  manager: string;
  path: Path;
}

/** `"kubectl-client-side-apply" using apps/v1`. */
function printManager(identifier: string): string {
  const identity = JSON.parse(identifier) as ManagerIdentity;
  let text = quoteGo(identity.manager ?? "");
  if (identity.subresource) text += ` with subresource ${quoteGo(identity.subresource)}`;
  if (identity.operation === "Update") text += ` using ${identity.apiVersion ?? ""}`;
  return text;
}

export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${printManager(manager)}`,
    field: formatPath(path),
  }));
  return applyConflict(causes, conflictMessage(conflicts));
}

function conflictMessage(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1) {
    const where = formatPath(first!.path);
    return `Apply failed with 1 conflict: conflict with ${printManager(first!.manager)}: ${where}`;
  }
  const byManager = Map.groupBy(conflicts, ({ manager }) => manager);
  const lines: string[] = [];
  for (const manager of [...byManager.keys()].sort()) {
    lines.push(`conflicts with ${printManager(manager)}:`);
    for (const { path } of byManager.get(manager)!) lines.push(`- ${formatPath(path)}`);
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`;
}

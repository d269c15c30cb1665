/**
 * An audit event as one line of text, for --audit-log-format=legacy.
 *
 * Source  apiserver pkg/audit/format.go
 */
import type { KubeObject } from "@nanokube/machinery";

interface AuditUser {
  username?: string;
  groups?: string[];
}

interface Told extends KubeObject {
  user?: AuditUser;
  impersonatedUser?: AuditUser;
  objectRef?: { namespace?: string };
  responseStatus?: { code?: number };
  sourceIPs?: string[];
  requestReceivedTimestamp?: string;
}

const quote = (text: unknown): string => JSON.stringify(text ?? "");
const quoteAll = (texts: readonly string[]): string => texts.map(quote).join(",");

export function legacyLine(event: KubeObject): string {
  const { user, impersonatedUser, objectRef, responseStatus, sourceIPs } = event as Told;
  const { auditID, stage, verb, userAgent, requestURI, requestReceivedTimestamp } = event as Told;
  const name = user?.username || "<none>";
  const groups =
    user?.username && user.groups && user.groups.length > 0 ? quoteAll(user.groups) : "<none>";
  const asGroups = impersonatedUser?.groups ? quoteAll(impersonatedUser.groups) : "<lookup>";
  const fields: [string, string][] = [
    ["id", quote(auditID)],
    ["stage", quote(stage)],
    ["ip", quote(sourceIPs?.[0] ?? "<unknown>")],
    ["method", quote(verb)],
    ["user", quote(name)],
    ["groups", quote(groups)],
    ["as", quote(impersonatedUser?.username ?? "<self>")],
    ["asgroups", quote(asGroups)],
    ["user-agent", quote(userAgent)],
    ["namespace", quote(objectRef?.namespace || "<none>")],
    ["uri", quote(requestURI)],
    ["response", `"${responseStatus?.code ?? "<deferred>"}"`],
  ];
  const told = fields.map(([field, value]) => `${field}=${value}`).join(" ");
  return `${shortTime(requestReceivedTimestamp)} AUDIT: ${told}`;
}

/** Go's RFC3339Nano has no zeros at its end. */
function shortTime(time = ""): string {
  return time.replace(/\.?0+Z$/, "Z");
}

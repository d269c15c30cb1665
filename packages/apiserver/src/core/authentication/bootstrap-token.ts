/**
 * Bootstrap tokens: `id.secret`, kept in kube-system as secret bootstrap-token-<id>.
 *
 * Source  plugin/pkg/auth/authenticator/token/bootstrap/bootstrap.go
 */
import type { Clock } from "@nanokube/machinery";
import type { ObjectReader } from "../object-reader.ts";
import type { UserInfo } from "./authenticator.ts";

const form = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupForm = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

export async function authenticateBootstrapToken(
  token: string,
  reader: ObjectReader,
  clock: Clock,
): Promise<UserInfo | undefined> {
  const match = form.exec(token);
  if (match === null) return undefined;
  const [, id = "", secretPart] = match;
  const secret = await reader.get("", "secrets", "kube-system", `bootstrap-token-${id}`);
  if (secret === undefined || secret.metadata?.deletionTimestamp) return undefined;
  if (secret.type !== "bootstrap.kubernetes.io/token") return undefined;
  const data = (secret.data ?? {}) as Record<string, string>;
  const value = (key: string) => (data[key] === undefined ? "" : atob(data[key]));
  if (value("token-secret") !== secretPart || value("token-id") !== id) return undefined;
  const expiration = value("expiration");
  if (expiration !== "" && !(Date.parse(expiration) > clock.now())) return undefined;
  if (value("usage-bootstrap-authentication") !== "true") return undefined;
  const groups = value("auth-extra-groups")
    .split(",")
    .map((group) => group.trim())
    .filter((group) => group !== "");
  if (groups.some((group) => !groupForm.test(group))) return undefined;
  return { name: `system:bootstrap:${id}`, groups: ["system:bootstrappers", ...groups] };
}

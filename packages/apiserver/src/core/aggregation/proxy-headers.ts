/**
 * The headers by which a server behind this one learns who asks: it believes them because of the
 * client certificate that comes with them.
 *
 * Source  client-go transport/round_trippers.go (SetAuthProxyHeaders, headerKeyEscape)
 */
import type { UserInfo } from "../authentication/authenticator.ts";

/** Nobody else's word about the caller is passed on. */
export function isIdentityHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return /^x-remote-(user|uid|group)$/.test(lower) || lower.startsWith("x-remote-extra-");
}

export function identityHeaders(user: UserInfo): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { "X-Remote-User": user.name };
  if (user.uid) headers["X-Remote-Uid"] = user.uid;
  if (user.groups.length > 0) headers["X-Remote-Group"] = [...user.groups];
  for (const [key, values] of Object.entries(user.extra ?? {})) {
    headers[`X-Remote-Extra-${escapeKey(key)}`] = [...values];
  }
  return headers;
}

/** Bytes that no header's name may have, and the percent sign, as %XX. */
function escapeKey(key: string): string {
  return [...new TextEncoder().encode(key)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      const isPlain = byte < 0x80 && /[!#$&'*+.^_`|~0-9A-Za-z-]/.test(char);
      return isPlain ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");
}

/**
 * A front proxy may say who asks, in headers, when its own certificate proves that it is the proxy.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/authentication/request/headerrequest/requestheader.go
 */
import type { Credentials, UserInfo } from "./authenticator.ts";

export interface RequestHeaderNames {
  usernameHeaders: readonly string[];
  uidHeaders: readonly string[];
  groupHeaders: readonly string[];
  extraHeaderPrefixes: readonly string[];
}

export interface RequestHeaderOptions extends RequestHeaderNames {
  /** PEM bundle of the proxy's authority. */
  ca: string;
  /** Common names the proxy may have; any when empty. */
  allowedNames: readonly string[];
}

export const usualRequestHeaders: RequestHeaderNames = {
  usernameHeaders: ["X-Remote-User"],
  uidHeaders: ["X-Remote-Uid"],
  groupHeaders: ["X-Remote-Group"],
  extraHeaderPrefixes: ["X-Remote-Extra-"],
};

/** Node joins repeated headers with ", ". */
export function headerValues(value: string | undefined): string[] {
  return value === undefined || value === "" ? [] : value.split(/,\s*/);
}

export function userFromHeaders(
  headers: Credentials["headers"],
  options: RequestHeaderOptions,
): UserInfo | undefined {
  const first = (names: readonly string[]) =>
    names.map((name) => headers[name.toLowerCase()]).find((value) => value);
  const name = first(options.usernameHeaders);
  if (name === undefined) return undefined;
  const uid = first(options.uidHeaders);
  const extra: Record<string, string[]> = {};
  for (const [header, value] of Object.entries(headers)) {
    const prefix = options.extraHeaderPrefixes.find((one) => header.startsWith(one.toLowerCase()));
    if (prefix === undefined) continue;
    extra[unescapeHeader(header.slice(prefix.length))] = headerValues(value);
  }
  return {
    name,
    ...(uid === undefined ? {} : { uid }),
    groups: options.groupHeaders.flatMap((one) => headerValues(headers[one.toLowerCase()])),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
}

export function unescapeHeader(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * A front proxy may say who asks, in headers, when its own certificate proves that it is the proxy.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/authentication/request/headerrequest/requestheader.go
 */
import type { SentHeaders, UserInfo } from "./authenticator.ts";

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

/** Each value of a header that may be sent several times, as it was sent: one may hold commas. */
export function headerValues(sent: SentHeaders, name: string): readonly string[] {
  if (sent.headerValues !== undefined) return sent.headerValues(name);
  const value = sent.headers[name];
  return value === undefined ? [] : [value];
}

export function userFromHeaders(
  sent: SentHeaders,
  options: RequestHeaderOptions,
): UserInfo | undefined {
  const { headers } = sent;
  const first = (names: readonly string[]) =>
    names.map((name) => headerValues(sent, name.toLowerCase())[0]?.trim()).find((value) => value);
  const name = first(options.usernameHeaders);
  if (name === undefined) return undefined;
  const uid = first(options.uidHeaders);
  const extra: Record<string, string[]> = {};
  for (const header of Object.keys(headers)) {
    const prefix = options.extraHeaderPrefixes.find((one) => header.startsWith(one.toLowerCase()));
    if (prefix === undefined) continue;
    extra[unescapeHeader(header.slice(prefix.length))] = [...headerValues(sent, header)];
  }
  return {
    name,
    ...(uid === undefined ? {} : { uid }),
    groups: options.groupHeaders.flatMap((one) =>
      headerValues(sent, one.toLowerCase()).filter((value) => value !== ""),
    ),
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

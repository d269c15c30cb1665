/**
 * URLs, absolute or beginning with a slash.
 *
 * Source  apiserver pkg/cel/library/urls.go, Go net/url ParseRequestURI
 */
import { quoteGo } from "../../go-text.ts";
import { struct } from "../types.ts";
import { CelError, CelList, CelMap, type CelObject, type Value } from "../values.ts";
import type { Implementation, Library } from "./function.ts";

const urlType = struct("kubernetes.URL");

export interface UrlParts {
  scheme: string;
  host: string;
  hostname: string;
  port: string;
  path: string;
  query: string;
}

export class CelUrl implements CelObject {
  readonly celType = urlType;
  readonly text: string;
  readonly parts: UrlParts;
  constructor(text: string, parts: UrlParts) {
    this.text = text;
    this.parts = parts;
  }
  equalTo(other: CelObject): boolean {
    return other instanceof CelUrl && other.text === this.text;
  }
}

/** The reason why Go's ParseRequestURI refuses a text, or its parts. */
export function parseRequestURI(text: string): UrlParts | string {
  const failed = (why: string) => `parse ${quoteGo(text)}: ${why}`;
  if (text === "") return failed("empty url");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are refused.
  if (/[\x00-\x1f\x7f]/u.test(text)) return failed("net/url: invalid control character in URL");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/u.exec(text);
  if (scheme === null && /^:/u.test(text)) return failed("missing protocol scheme");
  if (scheme === null && /^[^/?]*:/u.test(text) && !text.startsWith("/")) {
    return failed("first path segment in URL cannot contain colon");
  }
  const afterScheme = scheme === null ? text : text.slice(scheme[0].length);
  const question = afterScheme.indexOf("?");
  const query = question < 0 ? "" : afterScheme.slice(question + 1);
  let path = question < 0 ? afterScheme : afterScheme.slice(0, question);
  if (!path.startsWith("/")) {
    if (scheme === null) return failed("invalid URI for request");
    return { scheme: scheme[1]!.toLowerCase(), host: "", hostname: "", port: "", path: "", query };
  }
  let host = "";
  if (path.startsWith("//") && (scheme !== null || !path.startsWith("///"))) {
    const end = path.indexOf("/", 2);
    const authority = end < 0 ? path.slice(2) : path.slice(2, end);
    path = end < 0 ? "" : path.slice(end);
    host = authority.slice(authority.lastIndexOf("@") + 1);
    const problem = hostProblem(host);
    if (problem !== undefined) return failed(problem);
  }
  const badEscape = /%(?![0-9A-Fa-f]{2}).{0,2}/u.exec(path);
  if (badEscape !== null) return failed(`invalid URL escape ${quoteGo(badEscape[0])}`);
  const port = /:(\d*)$/u.exec(host)?.[1] ?? "";
  const bare = host.replace(/:\d*$/u, "").replace(/^\[(.*)\]$/u, "$1");
  return { scheme: scheme?.[1]?.toLowerCase() ?? "", host, hostname: bare, port, path, query };
}

function hostProblem(host: string): string | undefined {
  if (host.startsWith("[")) {
    if (!host.includes("]")) return "missing ']' in host";
    const rest = host.slice(host.indexOf("]") + 1);
    return /^(?::\d*)?$/u.test(rest) ? undefined : `invalid port ${quoteGo(rest)} after host`;
  }
  const colon = host.lastIndexOf(":");
  if (colon >= 0 && !/^:\d*$/u.test(host.slice(colon))) {
    return `invalid port ${quoteGo(host.slice(colon))} after host`;
  }
  const bad = /[ "<>\\^`{|}]/u.exec(host);
  return bad === null ? undefined : `invalid character ${quoteGo(bad[0])} in host name`;
}

function parse(text: string): CelUrl | CelError {
  const parts = parseRequestURI(text);
  return typeof parts === "string"
    ? new CelError(`URL parse error during conversion from string: ${parts}`)
    : new CelUrl(text, parts);
}

/** As Go writes a path: what it need not escape stays. */
function escapedPath(path: string): string {
  return path.replace(/[^A-Za-z0-9$&+,/:;=@\-_.~!'()*%]/gu, encodeURIComponent);
}

function queryOf(query: string): CelMap {
  const values = new Map<string, Value[]>();
  const decode = (text: string) => decodeURIComponent(text.replaceAll("+", " "));
  for (const pair of query.split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const equals = pair.indexOf("=");
    try {
      const key = decode(equals < 0 ? pair : pair.slice(0, equals));
      const value = equals < 0 ? "" : decode(pair.slice(equals + 1));
      values.set(key, [...(values.get(key) ?? []), value]);
    } catch {
      // Go leaves out what is badly escaped.
    }
  }
  return CelMap.of([...values].map(([key, list]) => [key, new CelList(list)] as const));
}

const read =
  (get: (parts: UrlParts) => Value): Implementation =>
  (url) =>
    url instanceof CelUrl ? get(url.parts) : undefined;

export const urls: Library = {
  url: (text) => (typeof text === "string" ? parse(text) : undefined),
  isURL: (text) => (typeof text === "string" ? parse(text) instanceof CelUrl : undefined),
  getScheme: read((parts) => parts.scheme),
  getHost: read((parts) => parts.host),
  getHostname: read((parts) => parts.hostname),
  getPort: read((parts) => parts.port),
  getEscapedPath: read((parts) => escapedPath(parts.path)),
  getQuery: read((parts) => queryOf(parts.query)),
};

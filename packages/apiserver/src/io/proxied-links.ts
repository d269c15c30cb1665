/**
 * Pages seen through a proxy: links to the page's own host lead through the proxy again.
 *
 * Shapes  prefix  "/api/v1/namespaces/n/pods/p/proxy": what stands before the other side's paths
 * Limits  HTML in UTF-8, plain, gzip or deflate; addresses within styles and scripts stay
 * Source  apimachinery pkg/util/proxy/transport.go
 */
import { posix } from "node:path";
import { deflateRawSync, gunzipSync, gzipSync, inflateRawSync } from "node:zlib";
import type { ApiResponse } from "../core/rest/context.ts";

export interface ProxiedPage {
  prefix: string;
  /** "10.244.0.2:8080": where the page came from. */
  host: string;
  /** What the caller named in Host. */
  askedHost: string;
}

const urlAttributes: Readonly<Record<string, readonly string[]>> = {
  a: ["href"],
  applet: ["codebase"],
  area: ["href"],
  audio: ["src"],
  base: ["href"],
  blockquote: ["cite"],
  body: ["background"],
  button: ["formaction"],
  command: ["icon"],
  del: ["cite"],
  embed: ["src"],
  form: ["action"],
  frame: ["longdesc", "src"],
  head: ["profile"],
  html: ["manifest"],
  iframe: ["longdesc", "src"],
  img: ["longdesc", "src", "usemap"],
  input: ["src", "usemap", "formaction"],
  ins: ["cite"],
  link: ["href"],
  object: ["classid", "codebase", "data", "usemap"],
  q: ["cite"],
  script: ["src"],
  source: ["src"],
  video: ["poster", "src"],
};

/** scheme, host, path, and the rest with its "?" or "#". */
const url = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is;
const badEscape = /%(?![0-9a-f]{2})/i;

/** Paths joined and cleaned; a slash at the end stays. */
export function joinPaths(prefix: string, path: string): string {
  const joined = posix.join(prefix, path);
  return path.endsWith("/") && !joined.endsWith("/") ? `${joined}/` : joined;
}

export function rewriteURL(text: string, { prefix, host, askedHost }: ProxiedPage): string {
  const [, scheme = "", named = "", path = "", rest = ""] = url.exec(text) ?? [];
  const isElsewhere = named !== "" && named !== host && named !== askedHost;
  if (badEscape.test(path) || isElsewhere || !path.startsWith("/")) return text;
  const origin = named !== "" && named === askedHost ? `${scheme && `${scheme}:`}//${named}` : "";
  const inner = path.startsWith(prefix) ? path : joinPaths(prefix, path).replace(/\/+$/, "/");
  return `${origin}${inner}${rest}`;
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "'": "&#39;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "\r": "&#13;",
};

/** Each start tag is written anew, as upstream does; all else stays as it is. */
export async function rewriteHTML(html: string, page: ProxiedPage): Promise<string> {
  const { Parser } = await import("htmlparser2");
  let text = "";
  let done = 0;
  const parser = new Parser({
    onopentag(name, attributes, isImplied) {
      if (isImplied) return;
      const { startIndex, endIndex } = parser;
      const own = urlAttributes[name] ?? [];
      const written = Object.entries(attributes).map(([key, value]) => {
        const shown = own.includes(key) ? rewriteURL(value, page) : value;
        return ` ${key}="${shown.replaceAll(/[&'<>"\r]/g, (found) => escapes[found]!)}"`;
      });
      const end = html[endIndex - 1] === "/" ? "/>" : ">";
      text += `${html.slice(done, startIndex)}<${name}${written.join("")}${end}`;
      done = endIndex + 1;
    },
  });
  parser.end(html);
  return text + html.slice(done);
}

interface Coding {
  read(bytes: Uint8Array): Uint8Array;
  write(bytes: Uint8Array): Uint8Array;
}

const codings: Readonly<Record<string, Coding>> = {
  "": { read: (bytes) => bytes, write: (bytes) => bytes },
  gzip: { read: gunzipSync, write: (bytes) => gzipSync(bytes) },
  deflate: { read: inflateRawSync, write: (bytes) => deflateRawSync(bytes, { level: 9 }) },
};

/** The answer as the caller shall see it. */
export async function throughProxy(answer: ApiResponse, page: ProxiedPage): Promise<ApiResponse> {
  const { location, "content-type": type = "", "content-encoding": name = "" } = answer.headers;
  if (location !== undefined) {
    return { ...answer, headers: { ...answer.headers, location: rewriteURL(location, page) } };
  }
  const coding = codings[name];
  if (type.split(";")[0]!.trim() !== "text/html" || coding === undefined) return answer;
  const plain = Buffer.from(coding.read(await wholeBody(answer))).toString();
  const body = coding.write(Buffer.from(await rewriteHTML(plain, page)));
  return { ...answer, body };
}

export function wholeBody({ body }: ApiResponse): Promise<Uint8Array> {
  if (typeof body !== "function") return Promise.resolve(body);
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    body({
      write: (chunk) => void chunks.push(chunk),
      pendingBytes: 0,
      end: () => resolve(Buffer.concat(chunks)),
      destroy: () => reject(new Error("the other side ended in the middle of its answer")),
    });
  });
}

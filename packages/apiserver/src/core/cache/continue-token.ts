/**
 * Where the next page of a list begins.
 *
 * Shapes  base64url of {"v":"meta.k8s.io/v1","rv":REVISION,"start":KEY}; KEY is behind the list's
 *         prefix
 * Units   revision -1 is the present
 * Errors  400 for a token that is none
 * Source  staging/src/k8s.io/apiserver/pkg/storage/continue.go
 */
import { badRequest, parseJSON } from "@nanokube/machinery";

export interface ContinueToken {
  revision: number;
  start: string;
}

const version = "meta.k8s.io/v1";

export function formatContinue({ revision, start }: ContinueToken): string {
  const json = JSON.stringify({ v: version, rv: revision, start });
  const bytes = new TextEncoder().encode(json);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

export function parseContinue(token: string): ContinueToken {
  const parsed = decode(token) as { v?: unknown; rv?: unknown; start?: unknown } | null;
  const { v = "", rv, start } = parsed ?? {};
  if (v !== version) {
    throw refused(`server does not recognize this encoded version ${JSON.stringify(v)}`);
  }
  if (typeof rv !== "number" || rv === 0) {
    throw refused(`incorrect encoded start resourceVersion (version ${version})`);
  }
  if (typeof start !== "string" || start === "") {
    throw refused(`encoded start key empty (version ${version})`);
  }
  if (start.split("/").includes("..")) throw refused(start);
  return { revision: rv, start };
}

function decode(token: string): unknown {
  const bad = token.search(/[^A-Za-z0-9_-]/);
  if (bad >= 0) throw refused(`illegal base64 data at input byte ${bad}`);
  try {
    const text = atob(token.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    return parseJSON(new TextDecoder().decode(bytes));
  } catch (error) {
    throw refused(error instanceof Error ? error.message : String(error));
  }
}

function refused(why: string): Error {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`);
}

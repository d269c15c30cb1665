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
  const { v = "", rv = 0, start = "" } = membersOf(decode(token));
  if (v !== version) throw refused(`server does not recognize this encoded version ${v}`);
  if (rv === 0) throw refused(`incorrect encoded start resourceVersion (version ${version})`);
  if (start === "") throw refused(`encoded start key empty (version ${version})`);
  const key = start.replace(/^\//, "");
  const isClean = key.split("/").every((part) => !["", ".", ".."].includes(part));
  if (!isClean && key !== "") throw refused(start);
  return { revision: rv, start: key };
}

interface Members {
  v?: string;
  rv?: number;
  start?: string;
}

/** In the words in which Go tells what does not fit. */
function membersOf(parsed: unknown): Members {
  if (parsed === null) return {};
  if (typeof parsed !== "object" || Array.isArray(parsed)) {
    const what = kindOf(parsed);
    throw refused(`json: cannot unmarshal ${what} into Go value of type storage.continueToken`);
  }
  const tree = parsed as Record<string, unknown>;
  for (const [name, type] of [
    ["v", "string"],
    ["rv", "int64"],
    ["start", "string"],
  ] as const) {
    const value = tree[name];
    if (value === undefined || value === null) delete tree[name];
    else if (type === "int64" ? !Number.isInteger(value) : typeof value !== "string") {
      const what =
        typeof value === "number" && type === "int64" ? `number ${value}` : kindOf(value);
      const where = `Go struct field continueToken.${name} of type ${type}`;
      throw refused(`json: cannot unmarshal ${what} into ${where}`);
    }
  }
  return tree as Members;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
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

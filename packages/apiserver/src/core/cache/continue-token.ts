/**
 * Where the next page of a list begins.
 *
 * Shapes  base64url of {"v":"meta.k8s.io/v1","rv":REVISION,"start":KEY}; KEY is behind the list's prefix
 * Units   revision -1 is the present
 * Errors  400 for a token that is none
 * Source  staging/src/k8s.io/apiserver/pkg/storage/continue.go
 */
import { badRequest } from "@nanokube/machinery";

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
  let parsed: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    const text = atob(token.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    parsed = JSON.parse(new TextDecoder().decode(bytes)) as typeof parsed;
  } catch {
    throw badRequest("continue key is not valid: illegal base64 data at input byte 0");
  }
  if (parsed.v !== version) {
    throw badRequest(
      `continue key is not valid: server does not recognize this encoded version ${JSON.stringify(parsed.v ?? "")}`,
    );
  }
  const { rv, start } = parsed;
  if (typeof rv !== "number" || rv === 0) {
    throw badRequest(
      "continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
    );
  }
  if (typeof start !== "string" || start === "") {
    throw badRequest("continue key is not valid: encoded start key empty (version meta.k8s.io/v1)");
  }
  if (start.split("/").includes("..")) {
    throw badRequest(`continue key is not valid: ${start}`);
  }
  return { revision: rv, start };
}

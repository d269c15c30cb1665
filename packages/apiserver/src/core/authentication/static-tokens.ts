/**
 * --token-auth-file: `token,user,uid,"group1,group2"`, one a line.
 *
 * Errors  an Error that names the line which is too short
 * Source  staging/src/k8s.io/apiserver/pkg/authentication/token/tokenfile/tokenfile.go
 */
import type { UserInfo } from "./authenticator.ts";

/** One CSV line; quotes hold commas, doubled quotes a quote. */
function splitCSV(line: string): string[] {
  const cells: string[] = [];
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    const [, quoted, plain = ""] = match;
    cells.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
  }
  return cells;
}

export function parseTokenFile(text: string): Map<string, UserInfo> {
  const users = new Map<string, UserInfo>();
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [token = "", name = "", uid, groups = ""] = splitCSV(line);
    if (uid === undefined) {
      throw new Error(
        "token file must have at least 3 columns (token, user name, user uid), found " +
          String(splitCSV(line).length),
      );
    }
    if (token === "") continue; // Upstream skips an empty token with a warning.
    const list = groups.split(",").map((group) => group.trim());
    users.set(token, { name, uid, groups: list.filter((group) => group !== "") });
  }
  return users;
}

/** Is the answer for a person's eyes? Asked for, or a person at a terminal or browser. */
import { isTrueParameter } from "../request-info.ts";
import type { ApiRequest } from "../rest/context.ts";

export function wantsPretty(request: ApiRequest): boolean {
  const pretty = request.query.get("pretty");
  if (pretty !== null && pretty !== "") return isTrueParameter(pretty);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(request.headers["user-agent"] ?? "");
}

/** A request as the authorizer sees it. */
import { parseFieldSelector } from "@nanokube/machinery";
import type { UserInfo } from "../authentication/authenticator.ts";
import type { AuthorizationAttributes } from "../authorization/authorizer.ts";
import type { RequestInfo } from "../request-info.ts";

export function authorizationOf(
  info: RequestInfo,
  user: UserInfo,
  query: URLSearchParams,
): AuthorizationAttributes {
  const attributes: AuthorizationAttributes = {
    user,
    verb: info.verb,
    resourceRequest: info.isResourceRequest,
    namespace: info.namespace,
    apiGroup: info.apiGroup,
    apiVersion: info.apiVersion,
    resource: info.resource,
    subresource: info.subresource,
    name: info.name,
    path: info.path,
  };
  const text = query.get("fieldSelector");
  if (text !== null && text !== "" && ["list", "watch", "deletecollection"].includes(info.verb)) {
    const fields = exactFields(text);
    if (fields !== undefined) attributes.fieldSelector = fields;
  }
  return attributes;
}

/** Only equalities narrow a selection in a way that an authorizer can use. */
function exactFields(text: string): Record<string, string> | undefined {
  try {
    const fields: Record<string, string> = {};
    for (const { field, operator, value } of parseFieldSelector(text).requirements) {
      if (operator !== "!=") fields[field] = value;
    }
    return fields;
  } catch {
    return undefined;
  }
}

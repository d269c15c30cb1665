/** A request as the authorizer sees it. */
import type { UserInfo } from "../authentication/authenticator.ts";
import type { AuthorizationAttributes } from "../authorization/authorizer.ts";
import { exactFields, type Narrowed, narrowedBy } from "../authorization/selectors.ts";
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
  if (!narrowable.has(info.verb)) return attributes;
  const fieldSelector = query.get("fieldSelector") ?? "";
  const labelSelector = query.get("labelSelector") ?? "";
  if (fieldSelector === "" && labelSelector === "") return attributes;
  return { ...attributes, ...narrowing(narrowedBy(fieldSelector, labelSelector)) };
}

const narrowable = new Set(["list", "watch", "deletecollection"]);

/** What authorizers are told of it. */
export function narrowing(
  narrowed: Narrowed,
): Pick<AuthorizationAttributes, "fieldSelector" | "narrowed"> {
  const fieldSelector = exactFields(narrowed);
  return { narrowed, ...(fieldSelector === undefined ? {} : { fieldSelector }) };
}

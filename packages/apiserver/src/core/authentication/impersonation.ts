/**
 * Impersonate-* headers: whoever may "impersonate" each named thing acts as that user.
 *
 * Errors  403 for what they may not impersonate, 500 for groups without a user as upstream
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/filters/impersonation/impersonation.go
 */
import { internalError } from "@nanokube/machinery";
import type { AuthorizationAttributes, Authorizer } from "../authorization/authorizer.ts";
import { forbiddenError } from "../authorization/create-authorizer.ts";
import type { Credentials, UserInfo } from "./authenticator.ts";
import { headerValues, unescapeHeader } from "./request-header.ts";
import {
  serviceAccountGroups,
  serviceAccountUserName,
  splitServiceAccountName,
} from "./service-account.ts";

const extraPrefix = "impersonate-extra-";

function ask(
  user: UserInfo,
  resource: string,
  name: string,
  where: { group?: string; namespace?: string; subresource?: string } = {},
): AuthorizationAttributes {
  return {
    user,
    verb: "impersonate",
    resourceRequest: true,
    namespace: where.namespace ?? "",
    apiGroup: where.group ?? "",
    apiVersion: where.group === undefined ? "" : "v1",
    resource,
    subresource: where.subresource ?? "",
    name,
    path: "",
  };
}

const authenticationGroup = "authentication.k8s.io";

interface Wish {
  target: { name: string; uid?: string; groups: string[]; extra: Record<string, string[]> };
  questions: AuthorizationAttributes[];
}

function readWish(user: UserInfo, headers: Credentials["headers"]): Wish | undefined {
  const name = headers["impersonate-user"] ?? "";
  const uid = headers["impersonate-uid"] ?? "";
  const groups = headerValues(headers["impersonate-group"]);
  const questions: AuthorizationAttributes[] = [];
  const extra: Record<string, string[]> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(extraPrefix)) continue;
    const key = unescapeHeader(header.slice(extraPrefix.length));
    extra[key] = headerValues(value);
    for (const one of extra[key]) {
      const where = { group: authenticationGroup, subresource: key };
      questions.push(ask(user, "userextras", one, where));
    }
  }
  if (name === "") {
    if (groups.length === 0 && uid === "" && questions.length === 0) return undefined;
    const wanted = { Groups: groups, Uid: uid, Extra: extra };
    throw internalError(
      new Error(`requested ${JSON.stringify(wanted)} without impersonating a user`),
    );
  }
  const account = splitServiceAccountName(name);
  const first =
    account === undefined
      ? ask(user, "users", name)
      : ask(user, "serviceaccounts", account.name, { namespace: account.namespace });
  const target: Wish["target"] = { name, groups: [...groups], extra };
  if (account !== undefined) {
    target.name = serviceAccountUserName(account.namespace, account.name);
    if (groups.length === 0) target.groups = serviceAccountGroups(account.namespace);
  }
  questions.unshift(first, ...groups.map((group) => ask(user, "groups", group)));
  if (uid !== "") {
    target.uid = uid;
    questions.push(ask(user, "uids", uid, { group: authenticationGroup }));
  }
  return { target, questions };
}

/** The user the request acts as: the one given, when nobody is impersonated. */
export async function impersonate(
  user: UserInfo,
  headers: Credentials["headers"],
  authorizer: Authorizer,
): Promise<UserInfo> {
  const wish = readWish(user, headers);
  if (wish === undefined) return user;
  for (const question of wish.questions) {
    const { decision, reason } = await authorizer.authorize(question);
    if (decision !== "allow") throw forbiddenError(question, reason);
  }
  const { target } = wish;
  const [known, unknown] = ["system:authenticated", "system:unauthenticated"];
  if (target.name === "system:anonymous") {
    if (!target.groups.includes(unknown)) target.groups.push(unknown);
  } else if (!target.groups.includes(known) && !target.groups.includes(unknown)) {
    target.groups.push(known);
  }
  const { extra, ...rest } = target;
  return Object.keys(extra).length > 0 ? { ...rest, extra } : rest;
}

/**
 * `authorizer.group("apps").resource("deployments").check("create").allowed()`.
 *
 * The answer comes from outside and may take time, so an expression that needs one is evaluated
 * again when it is there: `AuthorizationPending` carries the question.
 *
 * Source  apiserver pkg/cel/library/authz.go
 */
import { struct } from "../types.ts";
import { CelError, type CelObject, type Value } from "../values.ts";
import type { Library } from "./function.ts";

const prefix = "kubernetes.authorization.";
export const authorizerType = struct(`${prefix}Authorizer`);
const pathType = struct(`${prefix}PathCheck`);
const groupType = struct(`${prefix}GroupCheck`);
export const resourceCheckType = struct(`${prefix}ResourceCheck`);
const decisionType = struct(`${prefix}Decision`);

export interface AuthorizationQuestion {
  /** Another user than the one who asked: a service account. */
  serviceAccount?: { namespace: string; name: string };
  path?: string;
  group?: string;
  resource?: string;
  subresource?: string;
  namespace?: string;
  name?: string;
  fieldSelector?: string;
  labelSelector?: string;
  verb: string;
}

export interface AuthorizationAnswer {
  allowed: boolean;
  reason: string;
  error?: string;
}

/** Answers at once or throws AuthorizationPending. */
export type Authorize = (question: AuthorizationQuestion) => AuthorizationAnswer;

type Draft = Omit<AuthorizationQuestion, "verb">;

export class AuthorizationCheck implements CelObject {
  readonly celType;
  readonly draft: Draft;
  readonly authorize: Authorize;
  constructor(
    kind: "authorizer" | "path" | "group" | "resource",
    draft: Draft,
    authorize: Authorize,
  ) {
    const types = {
      authorizer: authorizerType,
      path: pathType,
      group: groupType,
      resource: resourceCheckType,
    };
    this.celType = types[kind];
    this.draft = draft;
    this.authorize = authorize;
  }
}

class Decision implements CelObject {
  readonly celType = decisionType;
  readonly answer: AuthorizationAnswer;
  constructor(answer: AuthorizationAnswer) {
    this.answer = answer;
  }
}

export const authorizerOf = (authorize: Authorize): AuthorizationCheck =>
  new AuthorizationCheck("authorizer", {}, authorize);
export const resourceCheckOf = (authorize: Authorize, draft: Draft): AuthorizationCheck =>
  new AuthorizationCheck("resource", draft, authorize);

function refine(kind: "path" | "group" | "resource", field: keyof Draft, from: string) {
  return (check: Value, text: Value): Value | undefined => {
    if (!(check instanceof AuthorizationCheck) || typeof text !== "string") return undefined;
    if (check.celType.name !== `${prefix}${from}`) return undefined;
    if (field === "path" && text === "") return new CelError("path must not be empty");
    return new AuthorizationCheck(kind, { ...check.draft, [field]: text }, check.authorize);
  };
}

const read =
  (get: (answer: AuthorizationAnswer) => Value) =>
  (decision: Value): Value | undefined =>
    decision instanceof Decision ? get(decision.answer) : undefined;

export const authorization: Library = {
  path: refine("path", "path", "Authorizer"),
  group: refine("group", "group", "Authorizer"),
  resource: refine("resource", "resource", "GroupCheck"),
  subresource: refine("resource", "subresource", "ResourceCheck"),
  namespace: refine("resource", "namespace", "ResourceCheck"),
  name: refine("resource", "name", "ResourceCheck"),
  fieldSelector: refine("resource", "fieldSelector", "ResourceCheck"),
  labelSelector: refine("resource", "labelSelector", "ResourceCheck"),
  serviceAccount(check, namespace, name) {
    if (!(check instanceof AuthorizationCheck)) return undefined;
    if (typeof namespace !== "string" || typeof name !== "string") return undefined;
    const draft = { ...check.draft, serviceAccount: { namespace, name } };
    return new AuthorizationCheck("authorizer", draft, check.authorize);
  },
  check(check, verb) {
    if (!(check instanceof AuthorizationCheck) || typeof verb !== "string") return undefined;
    return new Decision(check.authorize({ ...check.draft, verb }));
  },
  allowed: read((answer) => answer.allowed),
  reason: read((answer) => answer.reason),
  errored: read((answer) => answer.error !== undefined),
  error: read((answer) => answer.error ?? ""),
};

/**
 * Reviews: questions in the shape of objects. Nothing is stored.
 *
 * Source  pkg/registry/authentication/{tokenreview,selfsubjectreview},
 *         pkg/registry/authorization/<kind>
 */
import {
  badRequest,
  type FieldError,
  FieldPath,
  forbiddenField,
  invalid,
  invalidValue,
  type KubeObject,
  required,
} from "@nanokube/machinery";
import type { UserInfo } from "../authentication/authenticator.ts";
import type { ServerAuthenticator } from "../authentication/create-authenticator.ts";
import type { AuthorizationAttributes } from "../authorization/authorizer.ts";
import type { ServerAuthorizer } from "../authorization/create-authorizer.ts";
import { narrowedByReview, type SelectorAttributes } from "../authorization/selectors.ts";
import type { ApiResponse, RestContext } from "../rest/context.ts";
import { decodeBody, expectedOf } from "../rest/decode-body.ts";
import type { Operation } from "../rest/dispatch.ts";
import { trackUpdate } from "../rest/field-managers.ts";
import { formatTime } from "../rest/object-meta.ts";
import { parseWriteOptions } from "../rest/options.ts";
import { respondWithTree } from "../rest/respond.ts";
import { narrowing } from "../wire/authorization-attributes.ts";

export interface ReviewDeps {
  authenticator: ServerAuthenticator;
  authorizer: ServerAuthorizer;
  /** What this server is called in a token's audiences. */
  apiAudiences: readonly string[];
}

type Review = (context: RestContext, review: KubeObject, deps: ReviewDeps) => Promise<object>;

const reviews: Readonly<Record<string, Review>> = {
  "authentication.k8s.io/tokenreviews": reviewToken,
  "authentication.k8s.io/selfsubjectreviews": async ({ user }) => ({ userInfo: userOf(user) }),
  "authorization.k8s.io/subjectaccessreviews": (_context, review, deps) =>
    reviewAccess(review, deps, subjectOf(review)),
  "authorization.k8s.io/localsubjectaccessreviews": reviewLocalAccess,
  "authorization.k8s.io/selfsubjectaccessreviews": ({ user }, review, deps) =>
    reviewAccess(review, deps, user),
  "authorization.k8s.io/selfsubjectrulesreviews": reviewRules,
};

/** The operation when the request creates a review. */
export function reviewOperation(context: RestContext, deps: ReviewDeps): Operation | undefined {
  const { info } = context;
  if (info.verb !== "create" || info.subresource !== "") return undefined;
  const review = reviews[`${info.apiGroup}/${info.resource}`];
  if (review === undefined) return undefined;
  return (asked) => answer(asked, review, deps);
}

async function answer(
  context: RestContext,
  review: Review,
  deps: ReviewDeps,
): Promise<ApiResponse> {
  const options = parseWriteOptions(context.request.query, "CreateOptions");
  const object = await decodeBody(context, expectedOf(context), options.fieldValidation);
  object.metadata ??= {};
  if (context.info.resource === "selfsubjectreviews") {
    object.metadata.creationTimestamp = formatTime(context.server.clock.now());
  }
  await trackUpdate(context, undefined, object, options);
  object.status = await review(context, object, deps);
  const plain = { ...context, output: { ...context.output, as: "" as const } };
  return respondWithTree(plain, 201, object);
}

function userOf(user: UserInfo): object {
  return {
    username: user.name,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: [...user.groups],
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  };
}

async function reviewToken(
  _context: RestContext,
  review: KubeObject,
  { authenticator, apiAudiences }: ReviewDeps,
): Promise<object> {
  const spec = (review.spec ?? {}) as { token?: string; audiences?: string[] };
  if (!spec.token) throw badRequest("token is required for TokenReview in authentication");
  try {
    const audiences = spec.audiences?.length ? spec.audiences : undefined;
    const found = await authenticator.reviewToken(spec.token, audiences);
    if (found === undefined) return { user: {}, error: "invalid bearer token" };
    return {
      authenticated: true,
      user: userOf(found.user),
      audiences: [...(found.audiences ?? audiences ?? apiAudiences)],
    };
  } catch (error) {
    // Upstream's own token comes first, and is not this one either.
    const why = error instanceof Error ? error.message : String(error);
    return { user: {}, error: `[invalid bearer token, ${why.replace(/^\[(.*)\]$/su, "$1")}]` };
  }
}

type ResourceAttribute =
  | "namespace"
  | "verb"
  | "group"
  | "version"
  | "resource"
  | "subresource"
  | "name";

interface AccessSpec {
  user?: string;
  groups?: string[];
  uid?: string;
  extra?: Record<string, string[]>;
  namespace?: string;
  resourceAttributes?: Partial<Record<ResourceAttribute, string>> & {
    fieldSelector?: SelectorAttributes;
    labelSelector?: SelectorAttributes;
  };
  nonResourceAttributes?: { path?: string; verb?: string };
}

function specOf(review: KubeObject): AccessSpec {
  return (review.spec ?? {}) as AccessSpec;
}

function subjectOf(review: KubeObject): UserInfo {
  const { user = "", groups = [], uid, extra } = specOf(review);
  return { name: user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
}

async function reviewAccess(
  review: KubeObject,
  { authorizer }: ReviewDeps,
  user: UserInfo,
): Promise<object> {
  const spec = specOf(review);
  const errors = problemsOf(spec, user);
  if (errors.length > 0) throw invalid({ group: "authorization.k8s.io", kind: "" }, "", errors);
  const { fieldSelector, labelSelector } = spec.resourceAttributes ?? {};
  const { narrowed, ignored } = narrowedByReview(fieldSelector, labelSelector);
  const attributes = { ...attributesOf(spec, user), ...narrowing(narrowed) };
  const { decision, reason } = await authorizer.authorize(attributes);
  return {
    allowed: decision === "allow",
    ...(decision === "deny" ? { denied: true } : {}),
    ...(reason === "" ? {} : { reason }),
    ...(ignored.length === 0 ? {} : { evaluationError: ignored.join("; ") }),
  };
}

function problemsOf(spec: AccessSpec, user: UserInfo): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: other } = spec;
  const errors: FieldError[] = [];
  if (resource !== undefined && other !== undefined) {
    const why = "cannot be specified in combination with resourceAttributes";
    errors.push(invalidValue("spec.nonResourceAttributes", other, why));
  }
  if (resource === undefined && other === undefined) {
    const why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    errors.push(invalidValue("spec.resourceAttributes", null, why));
  }
  if (user.name === "" && user.groups.length === 0) {
    errors.push(invalidValue("spec.user", "", "at least one of user or group must be specified"));
  }
  for (const name of ["fieldSelector", "labelSelector"] as const) {
    const at = FieldPath.root("spec", "resourceAttributes", name);
    errors.push(...selectorProblems(resource?.[name], at, name === "labelSelector"));
  }
  return errors;
}

function selectorProblems(
  selector: SelectorAttributes | undefined,
  at: FieldPath,
  isOfLabels: boolean,
): FieldError[] {
  if (!selector) return [];
  const { rawSelector = "", requirements = [] } = selector;
  const errors: FieldError[] = [];
  if (rawSelector !== "" && requirements.length > 0) {
    const why = "may not specified at the same time as requirements";
    errors.push(invalidValue(at.child("rawSelector"), rawSelector, why));
  }
  if (rawSelector === "" && requirements.length === 0) {
    const why = `when ${at} is specified, requirements or rawSelector is required`;
    errors.push(required(at.child("requirements"), why));
  }
  for (const [i, { key = "", operator = "", values = [] }] of requirements.entries()) {
    const own = at.child("requirements").index(i);
    if (key === "" && !isOfLabels) errors.push(required(own.child("key"), "must be specified"));
    const isList = ["In", "NotIn"].includes(operator);
    if (isList && values.length === 0) {
      const why = "must be specified when `operator` is 'In' or 'NotIn'";
      errors.push(required(own.child("values"), why));
    }
    if (["Exists", "DoesNotExist"].includes(operator) && values.length > 0) {
      const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(forbiddenField(own.child("values"), why));
    }
  }
  return errors;
}

function attributesOf(spec: AccessSpec, user: UserInfo): AuthorizationAttributes {
  const r = spec.resourceAttributes ?? {};
  const other = spec.nonResourceAttributes;
  return {
    user,
    verb: other?.verb ?? r.verb ?? "",
    resourceRequest: other === undefined,
    namespace: r.namespace ?? "",
    apiGroup: r.group ?? "",
    apiVersion: r.version || "*",
    resource: r.resource ?? "",
    subresource: r.subresource ?? "",
    name: r.name ?? "",
    path: other?.path ?? "",
  };
}

async function reviewLocalAccess(
  context: RestContext,
  review: KubeObject,
  deps: ReviewDeps,
): Promise<object> {
  const spec = specOf(review);
  const { namespace } = context.info;
  if (spec.resourceAttributes?.namespace !== namespace) {
    throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`);
  }
  return reviewAccess(review, deps, subjectOf(review));
}

async function reviewRules(
  { user }: RestContext,
  review: KubeObject,
  { authorizer }: ReviewDeps,
): Promise<object> {
  const { namespace = "" } = specOf(review);
  if (namespace === "") throw badRequest("no namespace on request");
  const rules = await authorizer.rulesFor(user, namespace);
  return {
    resourceRules: rules.resourceRules,
    nonResourceRules: rules.nonResourceRules,
    incomplete: rules.incomplete,
    ...(rules.evaluationError === undefined ? {} : { evaluationError: rules.evaluationError }),
  };
}

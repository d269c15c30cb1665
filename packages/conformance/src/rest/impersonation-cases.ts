/** Who wants to act as whom: service accounts, what each may, and what they ask for. */
const authentication = "authentication.k8s.io";
const selfReviews = `/apis/${authentication}/v1/selfsubjectreviews`;
const pods = "/api/v1/namespaces/default/pods";

export interface Rule {
  verbs: string[];
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
}
const allow = (
  verb: string,
  group: string,
  resource: string,
  ...resourceNames: string[]
): Rule => ({
  verbs: [verb],
  apiGroups: [group],
  resources: [resource],
  ...(resourceNames.length === 0 ? {} : { resourceNames }),
});
const review = (mode: string): Rule =>
  allow(`impersonate-on:${mode}:create`, authentication, "selfsubjectreviews");

/** What each service account may. */
export const callers: Record<string, Rule[]> = {
  nobody: [],
  infos: [
    review("user-info"),
    allow("impersonate:user-info", authentication, "users", "jane", "system:anonymous"),
    allow("impersonate:user-info", authentication, "uids", "u-1"),
    allow("impersonate:user-info", authentication, "groups", "developers", "o=acme,cn=testers"),
    allow("impersonate:user-info", authentication, "userextras/acme.com/project", "some"),
    allow("impersonate:user-info", authentication, "userextras/project", "some"),
  ],
  // An action, but nobody to do it as.
  actions: [review("user-info")],
  many: [
    review("user-info"),
    allow("impersonate:user-info", authentication, "users"),
    allow("impersonate:user-info", authentication, "groups", "*"),
    allow("impersonate:user-info", authentication, "userextras/*", "*"),
  ],
  accounts: [
    review("serviceaccount"),
    allow("impersonate:serviceaccount", authentication, "serviceaccounts", "nobody"),
  ],
  nodes: [
    review("arbitrary-node"),
    allow("impersonate:arbitrary-node", authentication, "nodes", "node-1"),
  ],
  agent: [review("associated-node"), allow("impersonate:associated-node", authentication, "nodes")],
  legacy: [
    allow("impersonate", "", "users", "jane", "system:node:node-1"),
    allow("impersonate", "", "groups", "developers", "system:masters", ""),
    allow("impersonate", authentication, "userextras/project", "some"),
    allow("impersonate", "", "serviceaccounts", "nobody"),
  ],
};

export type Wish = Record<string, string | string[]>;
const as = (user: string, more: Wish = {}): Wish => ({ "Impersonate-User": user, ...more });
const group = (...groups: string[]): Wish => ({ "Impersonate-Group": groups });
const extra = (key: string, ...values: string[]): Wish => ({
  [`Impersonate-Extra-${key}`]: values,
});

export interface ImpersonationCase {
  caller: string;
  wish: Wish;
  method: string;
  path: string;
}

/** Caller, wish, and the method and path where it is no SelfSubjectReview. */
const rows: readonly (readonly [string, Wish, string?, string?])[] = [
  ["nobody", as("jane")],
  ["nobody", as("jane"), "GET", pods],
  ["nobody", as("jane", group("developers")), "GET", `${pods}/x/log`],
  ["nobody", as("jane"), "GET", "/version"],
  ["nobody", as("system:node:node-1")],
  ["nobody", as("system:node:Node_1")],
  ["nobody", as("system:serviceaccount:default:nobody")],
  ["nobody", as("system:serviceaccount:default:nobody", group("developers"))],
  ["nobody", { "Impersonate-Uid": "u-1", ...group("a", "b"), ...extra("project", "some") }],
  ["nobody", group("developers")],
  ["infos", as("jane")],
  ["infos", as("joe")],
  ["infos", as("jane"), "GET", pods],
  ["infos", as("system:anonymous")],
  ["infos", as("jane", { "Impersonate-Uid": "u-1" })],
  ["infos", as("jane", { "Impersonate-Uid": "u-2" })],
  ["infos", as("jane", group("developers"))],
  ["infos", as("jane", group("developers", "o=acme,cn=testers"))],
  ["infos", as("jane", group("developers", "others"))],
  ["infos", as("jane", group("a", "b", "c", "d"))],
  ["infos", as("jane", group("system:masters"))],
  ["infos", as("jane", group("developers", ""))],
  ["infos", as("jane", extra("acme.com%2fproject", "some"))],
  ["infos", as("jane", extra("acme.com%2fproject", "other"))],
  ["infos", as("jane", extra("project", "some"))],
  ["infos", as("jane", extra("acme.com%2fPROJECT", "some"))],
  ["infos", as("jane", extra("acme.com%2f%50", "some"))],
  ["infos", as("jane", extra("acme.com%2fproject", ""))],
  ["infos", as("jane", extra("a_b%2f%20", "some"))],
  ["infos", as("jane", extra("", "some"))],
  ["infos", as("system:serviceaccount:default:nobody")],
  ["actions", as("jane")],
  ["actions", as("jane", group("developers"))],
  ["many", as("jane", group("a", "b", "c", "d"))],
  ["many", as("jane", group("a", "b", "c"))],
  ["many", as("jane", extra("acme.com%2fproject", "a", "b", "c", "d"))],
  ["many", as("jane", extra("acme.com%2fproject", "a"))],
  ["accounts", as("system:serviceaccount:default:nobody")],
  ["accounts", as("system:serviceaccount:default:other")],
  ["accounts", as("system:serviceaccount:default:nobody", group("developers"))],
  ["accounts", as("system:serviceaccount:default:nobody"), "GET", pods],
  ["nodes", as("system:node:node-1")],
  ["nodes", as("system:node:node-2")],
  ["nodes", as("system:node:node-1", { "Impersonate-Uid": "u-1" })],
  ["nodes", as("system:node:node-1"), "GET", "/api/v1/nodes/node-1"],
  ["agent", as("system:node:node-1")],
  ["agent", as("system:node:node-2")],
  ["agent", as("system:node:node-1"), "GET", pods],
  ["legacy", as("jane")],
  ["legacy", as("jane"), "GET", pods],
  ["legacy", as("jane", group("developers", "system:masters")), "GET", pods],
  ["legacy", as("jane", group("others"))],
  ["legacy", as("jane", extra("project", "some"))],
  ["legacy", as("system:node:node-1")],
  ["legacy", as("system:serviceaccount:default:nobody")],
  ["legacy", as("system:serviceaccount:default:nobody", group("developers"))],
];

/** By a name of their own. */
export const impersonationCases: readonly (readonly [string, ImpersonationCase])[] = rows.map(
  ([caller, wish, method = "POST", path = selfReviews]) => [
    `${caller}: ${JSON.stringify(wish)} ${method} ${path}`,
    { caller, wish, method, path },
  ],
);

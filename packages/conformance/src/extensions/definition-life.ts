/** What becomes of definitions: conditions, what is not there, and how they end. */
import { crdPath, definition, object, string, type Tree } from "./definition-parts.ts";
import type { Scenario, Step } from "./scenario.ts";

const get = (path: string, rest: Partial<Step> = {}): Step => ({ method: "GET", path, ...rest });
const merge = "application/merge-patch+json";

/** Groups of Kubernetes' own need a word from its reviewers. */
function approval(name: string, group: string, value: string | undefined, next?: string): Scenario {
  const plural = `${name.replaceAll(" ", "")}s`;
  const annotation = (text: string): Tree => ({ "api-approved.kubernetes.io": text });
  const own = `${crdPath}/${plural}.${group}`;
  const parts = { plural, schema: object({ spec: object({ a: string }) }), spec: { group } };
  const body = definition(parts) as { metadata: Tree };
  const metadata = {
    name: `${plural}.${group}`,
    ...(value === undefined ? {} : { annotations: annotation(value) }),
  };
  const change: Step[] =
    next === undefined
      ? []
      : [
          {
            method: "PATCH",
            path: own,
            type: merge,
            body: { metadata: { annotations: annotation(next) } },
            quiet: true,
          },
          get(own, {
            until: next.startsWith("http") ? `"ApprovedAnnotation` : `"UnapprovedAnnotation`,
          }),
        ];
  const isRefused = value !== url && !value?.startsWith("unapproved") && group.endsWith("k8s.io");
  if (isRefused) {
    const attempt = { method: "POST", path: crdPath, body: { ...body, metadata } };
    return { name: `life: approval ${name}`, steps: [attempt] };
  }
  const settled = /(k8s|kubernetes)[.]io$/u.test(group)
    ? "KubernetesAPIApprovalPolicyConformant"
    : `"True"`;
  return {
    name: `life: approval ${name}`,
    steps: [
      { method: "POST", path: crdPath, body: { ...body, metadata } },
      get(own, { until: settled, quiet: true }),
      get(own, { until: `"reason":"InitialNamesAccepted"` }),
      ...change,
      { method: "DELETE", path: own, quiet: true },
    ],
  };
}

const url = "https://github.com/kubernetes/kubernetes/pull/1";

const of = (plural: string, group: string): Tree =>
  definition({ plural, spec: { group }, metadata: { name: `${plural}.${group}` } });

const absent: Scenario = {
  name: "life: what is not there",
  steps: [
    {
      method: "POST",
      path: crdPath,
      body: of("theres", "there.example.com"),
      quiet: true,
    },
    get("/apis/there.example.com/v1/theres", { until: `"items":[` }),
    ...[
      "v1/nothings",
      "v1/namespaces/default/nothings",
      "v1/namespaces/default/nothings/a",
      "v1/namespaces/default/theres/a",
      "v1/namespaces/default/theres/a/status",
      "v1/namespaces/default/theres/a/scale",
      "v1/namespaces/default/theres/a/other",
      "v1/theres/a",
      "v2/theres",
      "v2",
      "v2/namespaces/default/theres/a",
      "",
    ].map((path) => get(`/apis/there.example.com/${path}`)),
    get("/apis/elsewhere.example.com/v1/theres"),
    { method: "POST", path: "/apis/there.example.com/v1/theres", body: {} },
    { method: "PUT", path: "/apis/there.example.com/v1/namespaces/default/theres", body: {} },
    { method: "DELETE", path: `${crdPath}/theres.there.example.com`, quiet: true },
  ],
};

const made = (name: string, finalizers?: string[]): Step => ({
  method: "POST",
  path: "/apis/ends.example.com/v1/namespaces/default/endings",
  body: {
    apiVersion: "ends.example.com/v1",
    kind: "Ending",
    metadata: { name, ...(finalizers === undefined ? {} : { finalizers }) },
  },
  quiet: true,
});

const endings = "/apis/ends.example.com/v1/namespaces/default/endings";
const ended = `${crdPath}/endings.ends.example.com`;

const drained: Scenario = {
  name: "life: a definition goes when its objects have gone",
  steps: [
    {
      method: "POST",
      path: crdPath,
      body: of("endings", "ends.example.com"),
      quiet: true,
    },
    get(endings, { until: `"items":[`, quiet: true }),
    made("free"),
    made("held", ["example.com/hold"]),
    { method: "DELETE", path: ended },
    get(ended, { until: "InstanceDeletionInProgress" }),
    get(`${endings}/free`, { until: "NotFound" }),
    { ...made("late"), quiet: false },
    {
      method: "PATCH",
      path: `${endings}/held`,
      type: merge,
      body: { metadata: { finalizers: null } },
    },
    get(ended, { until: "NotFound" }),
    get(endings, { until: "404" }),
  ],
};

export const definitionLifeScenarios: readonly Scenario[] = [
  absent,
  drained,
  approval("none", "aaa.k8s.io", undefined),
  approval("given", "bbb.k8s.io", url, "unapproved, experimental-only"),
  approval("withheld", "ccc.k8s.io", "unapproved, experimental-only", url),
  approval("nonsense", "ddd.k8s.io", "yes"),
  approval("of kubernetes", "eee.kubernetes.io", url),
  approval("elsewhere", "eee.example.com", undefined),
];

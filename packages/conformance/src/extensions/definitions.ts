/** CustomResourceDefinitions, good and bad: what may be said and what may not. */
import {
  array,
  crdPath,
  type DefinitionParts,
  definition,
  integer,
  object,
  string,
  type Tree,
} from "./definition-parts.ts";
import { ruleSchemas } from "./rule-schemas.ts";
import type { Scenario, Step } from "./scenario.ts";
import { shapeSchemas } from "./shape-schemas.ts";

const versions = (list: Tree[]): Tree => ({
  versions: list.map((each) => ({
    served: true,
    storage: false,
    schema: { openAPIV3Schema: object() },
    ...each,
  })),
});
const keep = { "x-kubernetes-preserve-unknown-fields": true };
const selectable = (...paths: string[]): Tree => ({
  selectableFields: paths.map((jsonPath) => ({ jsonPath })),
});
const fields = object({
  spec: object({
    a: string,
    n: integer,
    o: object(),
    l: array(string),
    m: object({}, { additionalProperties: string }),
  }),
});

/** Definitions by name, besides their schemas. */
const others: Record<string, Omit<DefinitionParts, "plural">> = {
  "other name": { metadata: { name: "x.example.com" } },
  "group without dot": { spec: { group: "example" }, metadata: { name: "PLURAL.example" } },
  "bad group": { spec: { group: "Exa.com" }, metadata: { name: "PLURAL.Exa.com" } },
  "no group": { spec: { group: "" } },
  "bad scope": { spec: { scope: "World" } },
  "no scope": { spec: { scope: "" } },
  "bad kind": { names: { kind: "A_B" } },
  "no kind": { names: { kind: "" } },
  "kind is listKind": { names: { kind: "Same", listKind: "Same" } },
  "bad short name": { names: { shortNames: ["A"], categories: ["B!"] } },
  "bad singular": { names: { singular: "A B" } },
  "no versions": { spec: { versions: [] } },
  "no storage version": { version: { storage: false } },
  "two storage versions": {
    spec: versions([
      { name: "v1", storage: true },
      { name: "v2", storage: true },
    ]),
  },
  "version twice": { spec: versions([{ name: "v1", storage: true }, { name: "v1" }]) },
  "bad version name": { version: { name: "1" } },
  "no schema": { version: { schema: {} } },
  "warning of what is not deprecated": { version: { deprecationWarning: "x" } },
  "empty warning": { version: { deprecated: true, deprecationWarning: "" } },
  "odd warning": { version: { deprecated: true, deprecationWarning: "a\tb" } },
  "long warning": { version: { deprecated: true, deprecationWarning: "x".repeat(300) } },
  "bad columns": {
    version: {
      additionalPrinterColumns: [
        { name: "", type: "", jsonPath: "" },
        { name: "a", type: "odd", format: "odd", jsonPath: "x" },
      ],
    },
  },
  "bad scale": {
    version: {
      subresources: {
        scale: { specReplicasPath: ".status.x", statusReplicasPath: "x", labelSelectorPath: ".x" },
      },
    },
  },
  "empty scale": {
    version: { subresources: { scale: { specReplicasPath: "", statusReplicasPath: "" } } },
  },
  "conversion unknown": { spec: { conversion: { strategy: "Odd" } } },
  "conversion without webhook": { spec: { conversion: { strategy: "Webhook" } } },
  "conversion with both": {
    spec: {
      conversion: {
        strategy: "Webhook",
        webhook: {
          clientConfig: { url: "https://x", service: { name: "a", namespace: "b" } },
          conversionReviewVersions: ["v1"],
        },
      },
    },
  },
  "conversion over http": {
    spec: {
      conversion: {
        strategy: "Webhook",
        webhook: {
          clientConfig: { url: "http://u@x?y#z" },
          conversionReviewVersions: ["v3", "v3", "A"],
        },
      },
    },
  },
  "conversion by a service without name": {
    spec: {
      conversion: {
        strategy: "Webhook",
        webhook: {
          clientConfig: { service: { name: "", namespace: "", path: "x//y", port: 0 } },
          conversionReviewVersions: [],
        },
      },
    },
  },
  "conversion none with webhook": {
    spec: {
      conversion: {
        strategy: "None",
        webhook: { clientConfig: { url: "https://x" }, conversionReviewVersions: ["v1"] },
      },
    },
  },
  selectable: { schema: fields, version: selectable(".spec.a", ".spec.n") },
  "selectable unknown": {
    schema: fields,
    version: selectable(".spec.z", "spec.a", "", ".spec['a']"),
  },
  "selectable wrong types": {
    schema: fields,
    version: selectable(".spec.o", ".spec.l", ".spec.m.x", ".metadata.name", ".spec.a", ".spec.a"),
  },
  "protected group": { spec: { group: "x.k8s.io" }, metadata: { name: "PLURAL.x.k8s.io" } },
  "protected group, approved": {
    spec: { group: "x.k8s.io" },
    metadata: {
      name: "PLURAL.x.k8s.io",
      annotations: { "api-approved.kubernetes.io": "unapproved, test" },
    },
  },
  "protected group, odd approval": {
    spec: { group: "x.k8s.io" },
    metadata: { name: "PLURAL.x.k8s.io", annotations: { "api-approved.kubernetes.io": "yes" } },
  },
  "keeps everything": { spec: { preserveUnknownFields: true } },
  "schema keeps everything": { schema: { type: "object", ...keep } },
};

function attempts(
  prefix: string,
  parts: Record<string, Omit<DefinitionParts, "plural">>,
): Scenario[] {
  return Object.entries(parts).map(([name, each], i) => {
    const plural = `${prefix}${String.fromCharCode(97 + Math.floor(i / 26), 97 + (i % 26))}s`;
    const text = JSON.stringify(definition({ plural, ...each })).replaceAll("PLURAL", plural);
    const body: unknown = JSON.parse(text);
    const step: Step = { method: "POST", path: `${crdPath}?dryRun=All`, body };
    return { name: `definition: ${name}`, steps: [step] };
  });
}

export const definitionScenarios: readonly Scenario[] = [
  ...attempts(
    "sch",
    Object.fromEntries(
      Object.entries({ ...shapeSchemas, ...ruleSchemas }).map(([name, schema]) => [
        name,
        { schema },
      ]),
    ),
  ),
  ...attempts("def", others),
];

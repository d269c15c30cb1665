/** What definitions are put together from. */

export type Tree = Record<string, unknown>;

export const crdPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

export const object = (properties: Tree = {}, rest: Tree = {}): Tree => ({
  type: "object",
  ...(Object.keys(properties).length > 0 ? { properties } : {}),
  ...rest,
});
export const array = (items: unknown, rest: Tree = {}): Tree => ({ type: "array", items, ...rest });
export const string: Tree = { type: "string" };
export const integer: Tree = { type: "integer" };

export interface DefinitionParts {
  plural: string;
  schema?: unknown;
  version?: Tree;
  spec?: Tree;
  names?: Tree;
  metadata?: Tree;
}

export function definition(parts: DefinitionParts): Tree {
  const { plural, schema = object(), version = {}, spec = {}, names = {}, metadata = {} } = parts;
  const kind = plural[0]!.toUpperCase() + plural.slice(1, -1);
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.example.com`, ...metadata },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural, kind, ...names },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          ...version,
        },
      ],
      ...spec,
    },
  };
}

export const spec = (schema: unknown): Tree => object({ spec: schema });
export const rule = (text: string, rest: Tree = {}): Tree => ({
  "x-kubernetes-validations": [{ rule: text, ...rest }],
});
export const limited = { type: "string", maxLength: 20 };

/**
 * Writes paths and schemas as documents of OpenAPI v2 and v3.
 *
 * Shapes  parameters that all operations of a path share stand at the path
 *         v2   the body is a parameter, media types stand at the operation
 *         v3   the body and each answer have one entry a media type
 * Source  k8s.io/kube-openapi pkg/builder/openapi.go, pkg/builder3/openapi.go
 */
import { kubernetesVersion } from "@nanokube/api";
import { methods, type Operation, type Path } from "./operations.ts";
import { type Parameter, sameParameter, sortParameters } from "./parameters.ts";
import { type Dialect, reference, type Schema } from "./schema.ts";

export type Document = { [key: string]: unknown };

const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  401: "Unauthorized",
};

const bearer = {
  description: "Bearer Token authentication",
  type: "apiKey",
  name: "authorization",
  in: "header",
};

function info() {
  const [major, minor] = kubernetesVersion.slice(1).split(".");
  return { title: "Kubernetes", version: `${major}.${minor}` };
}

function typeReference(dialect: Dialect, type: string): Schema {
  return type === "string" ? { type: "string" } : reference(dialect, type);
}

function kindExtensions(operation: Operation): Document {
  const out: Document = {};
  if (operation.action !== undefined) {
    out["x-kubernetes-action"] = operation.action;
    out["x-kubernetes-group-version-kind"] = operation.kind;
  }
  return out;
}

function parameterV2({ name, in: place, type }: Parameter): Document {
  const required = place === "path" ? { required: true } : {};
  return { uniqueItems: true, type, name, in: place, ...required };
}

function parameterV3({ name, in: place, type }: Parameter): Document {
  const required = place === "path" ? { required: true } : {};
  return { name, in: place, ...required, schema: { type, uniqueItems: true } };
}

function operationV2(operation: Operation, parameters: readonly Document[]): Document {
  const { consumes, produces, tag, id, answers } = operation;
  const responses = Object.fromEntries([
    ...answers.map(([code, type]) => [
      String(code),
      { description: reasons[code], schema: typeReference("v2", type) },
    ]),
    ["401", { description: reasons[401] }],
  ]);
  return {
    ...(consumes.length > 0 ? { consumes } : {}),
    produces,
    schemes: ["https"],
    tags: [tag],
    operationId: id,
    ...(parameters.length > 0 ? { parameters } : {}),
    responses,
    ...kindExtensions(operation),
  };
}

function contentV3(types: readonly string[], type: string): Document {
  const schema = typeReference("v3", type);
  return Object.fromEntries([...types].sort().map((mediaType) => [mediaType, { schema }]));
}

function operationV3(operation: Operation, parameters: readonly Document[]): Document {
  const { consumes, produces, tag, id, answers, body } = operation;
  const responses = Object.fromEntries([
    ...answers.map(([code, type]) => [
      String(code),
      { description: reasons[code], content: contentV3(produces, type) },
    ]),
    ["401", { description: reasons[401] }],
  ]);
  const required = body?.required ? { required: true } : {};
  const requestBody = body && { content: contentV3(consumes, body.type), ...required };
  return {
    tags: [tag],
    operationId: id,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(requestBody === undefined ? {} : { requestBody }),
    responses,
    ...kindExtensions(operation),
  };
}

function pathParameters(path: string): Parameter[] {
  const names = path.match(/(?<=\{)[^}]+/g) ?? [];
  return names.map((name) => ({ name, in: "path", type: "string" }));
}

function bodyV2({ body }: Operation): Document | undefined {
  if (body === undefined) return undefined;
  const required = body.required ? { required: true } : {};
  return { name: "body", in: "body", ...required, schema: typeReference("v2", body.type) };
}

/** v2's parameters with the body among them, which is sorted in by its name. */
function parametersV2(parameters: readonly Parameter[], body: Document | undefined): Document[] {
  const written = parameters.map(parameterV2);
  if (body === undefined) return written;
  const at = parameters.findIndex(({ name }) => name > "body");
  written.splice(at < 0 ? written.length : at, 0, body);
  return written;
}

function pathItem(dialect: Dialect, { path, operations }: Path): Document {
  const [first, ...others] = operations;
  const everywhere = (parameter: Parameter) =>
    others.every((other) => other.parameters.some((p) => sameParameter(p, parameter)));
  const inPath = pathParameters(path);
  const isPath = (p: Parameter) => inPath.some((own) => sameParameter(own, p));
  const shared = [...inPath, ...first!.parameters.filter((p) => !isPath(p) && everywhere(p))];
  const isShared = (p: Parameter) => shared.some((other) => sameParameter(other, p));
  const item: Document = {};
  for (const method of methods) {
    const operation = operations.find((candidate) => candidate.method === method);
    if (operation === undefined) continue;
    const own = sortParameters(operation.parameters.filter((p) => !isShared(p)));
    item[method] =
      dialect === "v2"
        ? operationV2(operation, parametersV2(own, bodyV2(operation)))
        : operationV3(operation, own.map(parameterV3));
  }
  const written = sortParameters(shared).map(dialect === "v2" ? parameterV2 : parameterV3);
  if (written.length > 0) item.parameters = written;
  return item;
}

function pathItems(dialect: Dialect, paths: readonly Path[]): Document {
  const sorted = [...paths].sort((a, b) => (a.path < b.path ? -1 : 1));
  return Object.fromEntries(sorted.map((path) => [path.path, pathItem(dialect, path)]));
}

export function documentV2(paths: readonly Path[], definitions: Record<string, Schema>): Document {
  return {
    swagger: "2.0",
    info: info(),
    paths: pathItems("v2", paths),
    definitions,
    securityDefinitions: { BearerToken: bearer },
    security: [{ BearerToken: [] }],
  };
}

export function documentV3(
  paths: readonly Path[],
  schemas: Record<string, Schema>,
  isCustom: boolean,
): Document {
  const named = Object.keys(schemas).length > 0 ? { schemas } : {};
  const security = isCustom ? {} : { securitySchemes: { BearerToken: bearer } };
  return {
    openapi: "3.0.0",
    info: isCustom ? { title: "Kubernetes CRD Swagger", version: "v0.1.0" } : info(),
    paths: pathItems("v3", paths),
    components: { ...named, ...security },
  };
}

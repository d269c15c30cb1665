/**
 * Asks the server what kinds there are and what they look like, for type checks of policies.
 * Loaded with the first policy.
 *
 * Errors  a kind that is not there, or has no schema, is not checked
 * Source  apiserver pkg/cel/openapi/resolver/discovery.go
 */
import { type Client, isNotFound } from "@nanokube/client";
import type { TypeSchema } from "@nanokube/machinery/cel";
import type { TypeQuestion } from "../core/admission-policy-status/policy-status.ts";
import {
  checkTypes,
  type Kind,
  type KindSchema,
  resourcesToCheck,
} from "../core/admission-policy-status/type-check.ts";

type Tree = Record<string, unknown>;

interface OpenAPIDocument {
  components?: { schemas?: Record<string, Tree> };
}

interface ResourceList {
  resources?: { name: string; kind: string }[];
}

const pathOf = ({ group, version }: Omit<Kind, "kind">): string =>
  group === "" ? `api/${version}` : `apis/${group}/${version}`;

export async function answerTypeQuestion(
  client: Client,
  asked: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const { policy } = asked as TypeQuestion;
  const reader = new Kinds(client, signal);
  const kinds: KindSchema[] = [];
  for (const { group, version, resource } of resourcesToCheck(policy)) {
    const kind = await reader.kindOf(group, version, resource);
    if (kind === undefined) continue;
    const found = await reader.schemaOf({ group, version, kind });
    const isNew = !kinds.some((one) => one.kind === kind && pathOf(one) === pathOf(found ?? one));
    if (found !== undefined && isNew) kinds.push(found);
  }
  const { apiVersion = "", kind = "" } = policy.spec?.paramKind ?? {};
  const [first = "", second] = apiVersion.split("/");
  const gv =
    second === undefined ? { group: "", version: first } : { group: first, version: second };
  const params = kind === "" ? undefined : await reader.schemaOf({ ...gv, kind });
  return checkTypes(policy, kinds, params);
}

class Kinds {
  readonly #client: Client;
  readonly #signal: AbortSignal;
  readonly #documents = new Map<string, Promise<OpenAPIDocument | undefined>>();

  constructor(client: Client, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  async #read<T>(path: string): Promise<T | undefined> {
    try {
      const request = { method: "GET", path, signal: this.#signal } as const;
      return await this.#client.requestJSON<T>(request);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async kindOf(group: string, version: string, resource: string): Promise<string | undefined> {
    const list = await this.#read<ResourceList>(`/${pathOf({ group, version })}`);
    return list?.resources?.find(({ name }) => name === resource)?.kind;
  }

  async schemaOf(kind: Kind): Promise<KindSchema | undefined> {
    const path = `/openapi/v3/${pathOf(kind)}`;
    let coming = this.#documents.get(path);
    if (coming === undefined) {
      coming = this.#read<OpenAPIDocument>(path);
      this.#documents.set(path, coming);
    }
    const schemas = (await coming)?.components?.schemas ?? {};
    const own = Object.values(schemas).find((schema) => {
      const marks = (schema["x-kubernetes-group-version-kind"] ?? []) as Kind[];
      return marks.some(
        (one) => one.group === kind.group && one.version === kind.version && one.kind === kind.kind,
      );
    });
    return own && { ...kind, schema: resolved(own, schemas, []) as TypeSchema };
  }
}

/** References in place; a type inside of itself is any object there. */
function resolved(
  tree: unknown,
  schemas: Record<string, Tree>,
  inside: readonly string[],
): unknown {
  if (Array.isArray(tree)) return tree.map((item) => resolved(item, schemas, inside));
  if (typeof tree !== "object" || tree === null) return tree;
  const { $ref, allOf, ...rest } = tree as Tree & { $ref?: string; allOf?: Tree[] };
  const [only] = allOf?.length === 1 ? allOf : [];
  const target = $ref ?? (only?.["$ref"] as string | undefined);
  if (target !== undefined) {
    const name = target.slice(target.lastIndexOf("/") + 1);
    if (inside.includes(name))
      return { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    return resolved(schemas[name] ?? {}, schemas, [...inside, name]);
  }
  if (rest["format"] === "int-or-string") return { "x-kubernetes-int-or-string": true };
  const entries = Object.entries(rest).map(([key, member]) => [
    key,
    resolved(member, schemas, inside),
  ]);
  return Object.fromEntries(entries);
}

/**
 * A value as upstream's validation prints it: as JSON of the internal struct, whose members are
 * called as in Go, are all there, and stand in another order than on the wire.
 *
 * Errors  a value that cannot be placed in the table prints as it is on the wire
 * Source  k8s.io/apimachinery/pkg/util/validation/field/errors.go (ErrorBody), pkg/apis/<group>/types.go
 */
import { internalMembers, jsonFields } from "@nanokube/api";
import type { FieldError } from "./field-error.ts";
import { GoText } from "./field-error.ts";
import { marshalGo } from "./go-text.ts";
import { isPlainObject } from "./json-tree.ts";

type Tree = Record<string, unknown>;

const step = /([^.[\]]+)|\[([^\]]*)\]/g;

/** The word of the field that a path of this type names; undefined when there is none. */
function wordAt(typeName: string, path: string): string | undefined {
  let word = `ref ${typeName}`;
  for (const [, name, key] of path.matchAll(step)) {
    if (name !== undefined && word.startsWith("ref ")) {
      const field = jsonFields(word.slice("ref ".length))?.[name];
      if (field === undefined) return undefined;
      word = field.type;
    } else if (key !== undefined && word.startsWith("[]")) {
      word = word.slice("[]".length);
    } else if (key !== undefined && word.startsWith("map ")) {
      word = word.slice("map ".length);
    } else {
      return undefined;
    }
  }
  return word;
}

/** The errors with their objects and lists as upstream shows them. */
export function inInternalForm(errors: readonly FieldError[], typeName: string): FieldError[] {
  return errors.map((error) => {
    const { badValue, field } = error;
    if (typeof badValue !== "object" || badValue === null || badValue instanceof GoText) {
      return error;
    }
    const word = wordAt(typeName, field);
    if (word === undefined || word.includes("apimachinery")) return error;
    const own = Array.isArray(badValue) || !word.startsWith("[]") ? word : word.slice(2);
    return error.withValue(new GoText(marshalGo(internal(own, badValue))));
  });
}

/** The tree that upstream's internal type has in JSON. */
export function internalTree(typeName: string, value: object): unknown {
  return internal(`ref ${typeName}`, value);
}

function internal(word: string, value: unknown): unknown {
  if (word.startsWith("=")) return JSON.parse(word.slice(1));
  if (word.startsWith("*")) return value == null ? null : internal(word.slice(1), value);
  if (word.startsWith("[]")) {
    if (!Array.isArray(value)) return null;
    return value.map((item) => internal(word.slice("[]".length), item));
  }
  if (word.startsWith("map ")) {
    if (!isPlainObject(value)) return null;
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(
      members.map(([key, member]) => [key, internal(word.slice("map ".length), member)]),
    );
  }
  if (word.startsWith("ref ")) return struct(word.slice("ref ".length), (value ?? {}) as Tree);
  return value ?? zeros[word] ?? null;
}

const zeros: Readonly<Record<string, unknown>> = {
  string: "",
  bool: false,
  int32: 0,
  int64: 0,
  uint32: 0,
  uint64: 0,
  float64: 0,
  quantity: "0",
  intOrString: 0,
  duration: "0s",
  meta: {},
};

function struct(typeName: string, tree: Tree): unknown {
  const members = internalMembers(typeName);
  if (members === undefined) return tree;
  const printed = Object.fromEntries(
    members.flatMap(([goName, name, word]) =>
      word === "meta" && goName === "ObjectMeta"
        ? Object.entries(tree[name] ?? {})
        : [[goName, internal(word, name === "" ? tree : tree[name])]],
    ),
  );
  if (typeName === podSpec) withHostFields(printed, tree);
  return printed;
}

const podSpec = "io.k8s.api.core.v1.PodSpec";

/** The internal type keeps what a pod shares with its host in the security context. */
function withHostFields({ SecurityContext: context }: Tree, spec: Tree): void {
  if (!isPlainObject(context)) return;
  for (const name of ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"]) {
    const goName = name.charAt(0).toUpperCase() + name.slice(1);
    if (spec[name] !== undefined) context[goName] = spec[name];
  }
}

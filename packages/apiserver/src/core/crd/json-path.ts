/**
 * The JSONPath of printer columns and selectable fields.
 *
 * Shapes  .spec.replicas   .status.conditions[?(@.type=="Ready")].status   .spec.list[0]
 *                          .a['b.c']
 * Source  client-go util/jsonpath; what goes beyond these shapes finds nothing
 */
type Step =
  | { kind: "member"; name: string }
  | { kind: "index"; index: number }
  | { kind: "all" }
  | { kind: "filter"; path: string[]; value: unknown };

const token = new RegExp(
  [
    /\.?\['([^']+)'\]/, // ['quoted']
    /\[(-?\d+)\]/, // [0]
    /\[(\*)\]/, // [*]
    /\[\?\(@((?:\.[\w-]+)+)\s*==\s*("[^"]*"|'[^']*'|[\w.]+)\)\]/, // [?(@.a=="b")]
    /\.((?:\\.|[^.[\]\\])+)/, // .member
  ]
    .map(({ source }) => source)
    .join("|"),
  "gy",
);

export function parseJSONPath(text: string): Step[] | undefined {
  const steps: Step[] = [];
  const source = text.replace(/^\{|\}$/g, "");
  token.lastIndex = 0;
  while (token.lastIndex < source.length) {
    const found = token.exec(source);
    if (found === null) return undefined;
    const [, quoted, index, all, filterPath, filterValue, member] = found;
    if (quoted !== undefined) steps.push({ kind: "member", name: quoted });
    else if (index !== undefined) steps.push({ kind: "index", index: Number(index) });
    else if (all !== undefined || member === "*") steps.push({ kind: "all" });
    else if (filterPath !== undefined) {
      steps.push({
        kind: "filter",
        path: filterPath.slice(1).split("."),
        value: literal(filterValue!),
      });
    } else if (member !== undefined) {
      steps.push({ kind: "member", name: member.replaceAll(/\\(.)/g, "$1") });
    }
  }
  return steps;
}

function literal(text: string): unknown {
  if (/^["']/.test(text)) return text.slice(1, -1);
  if (text === "true" || text === "false") return text === "true";
  return Number.isNaN(Number(text)) ? text : Number(text);
}

export function findAll(steps: readonly Step[], root: unknown): unknown[] {
  let found: unknown[] = [root];
  for (const step of steps) found = found.flatMap((value) => advance(step, value));
  return found;
}

function advance(step: Step, value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  if (step.kind === "member") {
    return Object.hasOwn(value, step.name) ? [(value as Record<string, unknown>)[step.name]] : [];
  }
  if (step.kind === "all") return Object.values(value);
  if (!Array.isArray(value)) return [];
  if (step.kind === "index") {
    const index = step.index < 0 ? value.length + step.index : step.index;
    return index in value ? [value[index]] : [];
  }
  return value.filter((item) => {
    let at: unknown = item;
    for (const name of step.path) at = (at as Record<string, unknown> | undefined)?.[name];
    return at === step.value;
  });
}

/**
 * Who may import whom. One table, as in ARCHITECTURE.md; a breach is a sentence.
 */
import type { Source } from "./sources.ts";

const shared: Readonly<Record<string, readonly string[]>> = {
  api: [],
  machinery: ["api"],
  rpc: [],
  client: ["machinery", "api"],
};

const components = [
  "etcd-lite",
  "apiserver",
  "controller-manager",
  "scheduler",
  "kubelet",
  "cri-embedded",
  "cni-bridge",
  "csi-hostpath",
  "kube-proxy",
  "dns",
];

const composers = ["nanokube", "testenv", "conformance", "labs"];

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  if (composers.includes(from)) return to !== "labs";
  if (!Object.hasOwn(shared, to)) return false;
  if (components.includes(from)) return true;
  return shared[from]?.includes(to) ?? false;
}

const packageOf = (specifier: string) =>
  /^nanokube(\/|$)/.test(specifier) ? "nanokube" : /^@nanokube\/([^/]+)/.exec(specifier)?.[1];

export function layerBreaches(sources: readonly Source[]): string[] {
  const breaches: string[] = [];
  for (const source of sources) {
    if (source.unit.startsWith("tools/")) continue;
    const from = source.unit.replace("packages/", "");
    for (const { specifier } of source.imports) {
      const to = packageOf(specifier);
      // A test may bring any neighbour to meet the component on the wire.
      if (to !== undefined && !source.isTest && !mayImport(from, to)) {
        breaches.push(`${source.path} imports ${specifier}: ${from} may not import ${to}`);
      }
      const deeper = /(^|\/)\.\.\/.*\b(packages|node_modules)\//.test(specifier);
      if (deeper && !source.isTest) breaches.push(`${source.path} imports ${specifier} by path`);
      if (source.isTest) continue;
      if (source.layer === "core" && /(^|\/)(io|main)(\/|\.ts)/.test(specifier)) {
        breaches.push(`${source.path} imports ${specifier}: core may not import io or main`);
      }
      if (source.layer === "io" && /\/main\.ts$/.test(specifier)) {
        breaches.push(`${source.path} imports ${specifier}: io may not import main`);
      }
    }
  }
  return breaches;
}

const impurities: readonly [RegExp, string][] = [
  [/\bDate\.now\(/, "reads the clock"],
  [/\bnew Date\(\)/, "reads the clock"],
  [/\bperformance\.now\(/, "reads the clock"],
  [/\bMath\.random\(/, "draws at random"],
  [/(?<![.\w])(setTimeout|setInterval|setImmediate)\(/, "starts a timer"],
  [/\bprocess\.(env|argv|pid|platform|exit|on)\b/, "reads the process"],
  [/(?<![.\w])fetch\(/, "speaks to the network"],
];

/** A core decides; what it needs of the world comes in as arguments. */
export function impureCores(sources: readonly Source[], allowed: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (const source of sources) {
    if (source.layer !== "core" || source.isTest || allowed.has(source.path)) continue;
    for (const { specifier, typeOnly } of source.imports) {
      if (specifier.startsWith("node:") && !typeOnly) {
        found.push(`${source.path} imports ${specifier}`);
      }
    }
    const code = source.text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    for (const [pattern, what] of impurities) {
      if (pattern.test(code)) found.push(`${source.path} ${what} (${pattern.source})`);
    }
  }
  return found;
}

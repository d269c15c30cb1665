/**
 * Resource lists: maps from a resource's name to a quantity ("cpu": "100m").
 *
 * Source  pkg/apis/core/v1/defaults.go SetDefaults_ResourceList,
 *         staging/src/k8s.io/component-helpers/resource/helpers.go
 */
import { parseQuantity } from "@nanokube/machinery";

export type ResourceList = Record<string, string>;

/** Quantities finer than a thousandth are rounded up; what does not parse is left for validation. */
export function roundToMilli(list: ResourceList | undefined): void {
  for (const [name, text] of Object.entries(list ?? {})) {
    if (!/[nu]$|\.\d{4}/.test(String(text))) continue;
    try {
      list![name] = parseQuantity(`${parseQuantity(String(text)).milliValue()}m`).toString();
    } catch {
      // Validation names what is wrong with it.
    }
  }
}

export function addInto(sum: ResourceList, list: ResourceList | undefined): void {
  for (const [name, text] of Object.entries(list ?? {})) {
    const before = sum[name];
    sum[name] =
      before === undefined ? text : parseQuantity(before).add(parseQuantity(text)).toString();
  }
}

export function maxInto(largest: ResourceList, list: ResourceList | undefined): void {
  for (const [name, text] of Object.entries(list ?? {})) {
    const before = largest[name];
    if (before === undefined || parseQuantity(text).cmp(parseQuantity(before)) > 0) {
      largest[name] = text;
    }
  }
}

export function compareQuantities(a: string | undefined, b: string | undefined): number {
  return parseQuantity(a ?? "0").cmp(parseQuantity(b ?? "0"));
}

/**
 * Quantities on the wire: any accepted text to its canonical one, remembered, for a cluster says
 * few of them often.
 */
import { parseQuantity } from "../quantity/quantity.ts";

const maxRemembered = 8192;
const remembered = new Map<string, string>();

/** @throws QuantityError */
export function canonicalQuantity(text: string): string {
  let canonical = remembered.get(text);
  if (canonical === undefined) {
    canonical = parseQuantity(text.trim()).toString();
    if (remembered.size >= maxRemembered) remembered.clear();
    if (text.length <= 32) remembered.set(text, canonical);
  }
  return canonical;
}

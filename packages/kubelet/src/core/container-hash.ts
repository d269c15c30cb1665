/**
 * The fingerprint of a container's definition, kept as an annotation on the running container.
 *
 * Only name and image count: everything else in a container is immutable or changed in place.
 * Source  pkg/kubelet/container/helpers.go HashContainer (FNV-1a 32 over the picked fields)
 */
import type { Container } from "@nanokube/api/core/v1";

/** FNV-1a, 32 bits, over the UTF-8 bytes of the text, as upstream prints it: hexadecimal. */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

export function containerHash(container: Container): string {
  const picked = new TextEncoder().encode(
    JSON.stringify({ image: container.image ?? "", name: container.name ?? "" }),
  );
  // Upstream hashes Go's printed form of those bytes.
  return fnv1a32(`([]uint8)[${Array.from(picked).join(" ")}]`).toString(16);
}

/** Digests by the platform's crypto. */
import { createHash, createHmac } from "node:crypto";
import type { Digests } from "../core/digests.ts";

export const digests: Digests = {
  sha256: (text) => createHash("sha256").update(text).digest("hex"),
  hmacSHA256: (key, text) => createHmac("sha256", key).update(text).digest("base64url"),
};

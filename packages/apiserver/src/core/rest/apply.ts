/**
 * Server-side apply: the caller states the fields it wants and owns.
 *
 * Errors  409 Conflict with one cause a field, unless forced
 * Source  apiserver pkg/endpoints/handlers/patch.go (applyPatcher), apimachinery pkg/util/managedfields
 */
import type { ApiResponse, RestContext } from "./context.ts";
import { notImplemented } from "@nanokube/machinery";
import type { WriteOptions } from "./options.ts";

export async function serverSideApply(
  _context: RestContext,
  _text: string,
  _options: WriteOptions,
): Promise<ApiResponse> {
  throw notImplemented("server-side apply is not implemented by nanokube yet");
}

/**
 * The name of a CSI driver.
 *
 * Source  pkg/apis/core/validation/validation.go ValidateCSIDriverName
 */
import { type FieldError, type FieldPath, invalid, required, tooLong } from "../field.ts";
import { dns1123Subdomain } from "../names.ts";

export function validateCSIDriverName(name: string, path: FieldPath): FieldError[] {
  if (name === "") return [required(path)];
  const errors = name.length > 63 ? [tooLong(path, "", 63)] : [];
  const problems = dns1123Subdomain(name.toLowerCase());
  return [...errors, ...problems.map((why) => invalid(path, name, why))];
}

/**
 * The names of a kind: plural, singular, kind, list kind, short names, categories.
 *
 * Source  apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go
 */
import type { CustomResourceDefinitionSpec } from "@nanokube/api/apiextensions/v1";
import { type FieldError, type FieldPath, invalidValue, required } from "@nanokube/machinery";
import { dns1035Label } from "../../../resources/names.ts";

export function validateNames(spec: CustomResourceDefinitionSpec, path: FieldPath): FieldError[] {
  const names = spec.names ?? {};
  const errors: FieldError[] = [];
  for (const name of ["plural", "singular", "kind", "listKind"] as const) {
    if (!names[name]) errors.push(required(path.child(name), ""));
  }
  for (const name of ["plural", "singular"] as const) {
    const value = names[name] ?? "";
    const why = value === "" ? [] : dns1035Label(value);
    if (why.length > 0) errors.push(invalidValue(path.child(name), value, why.join(",")));
  }
  for (const name of ["kind", "listKind"] as const) {
    const value = names[name] ?? "";
    const why = value === "" ? [] : dns1035Label(value.toLowerCase());
    const lead = "may have mixed case, but should otherwise match: ";
    if (why.length > 0)
      errors.push(invalidValue(path.child(name), value, `${lead}${why.join(",")}`));
  }
  const list = (name: "shortNames" | "categories") => {
    for (const [i, value] of (names[name] ?? []).entries()) {
      const why = dns1035Label(value);
      if (why.length > 0)
        errors.push(invalidValue(path.child(name).index(i), value, why.join(",")));
    }
  };
  list("shortNames");
  if (names.kind && names.kind === names.listKind) {
    const why = "kind and listKind may not be the same";
    errors.push(invalidValue(path.child("listKind"), names.listKind, why));
  }
  list("categories");
  return errors;
}

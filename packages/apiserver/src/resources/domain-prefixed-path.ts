/**
 * "acme.io/foo": a name that somebody's domain keeps apart from everybody else's.
 *
 * Source  staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go (IsDomainPrefixedPath)
 */
import { check, type FieldError, type FieldPath, invalid, required } from "./field.ts";
import { dns1123Subdomain, regexError } from "./names.ts";

const pathFormat = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const wholePath = new RegExp(`^${pathFormat}$`);

export function validateDomainPrefixedPath(value: string, path: FieldPath): FieldError[] {
  if (value === "") return [required(path)];
  const slash = value.indexOf("/");
  const [host, rest] = [value.slice(0, Math.max(slash, 0)), value.slice(slash + 1)];
  if (host === "" || rest === "") {
    const why = 'must be a domain-prefixed path (such as "acme.io/foo")';
    return [invalid(path, value, why)];
  }
  const errors = [...check(path, host, dns1123Subdomain)];
  if (!wholePath.test(rest)) {
    errors.push(invalid(path, rest, regexError("Invalid path", pathFormat)));
  }
  return errors;
}

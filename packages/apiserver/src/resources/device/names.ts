/**
 * Names that drivers, pools, devices and attributes have.
 *
 * Source  pkg/apis/resource/validation/validation.go
 */
import { validateCSIDriverName } from "../core/csi-driver-name.ts";
import { check, type FieldError, type FieldPath, invalid, required, tooLong } from "../field.ts";
import { byteLength, cIdentifier, dns1123Label, dns1123Subdomain } from "../names.ts";

const idMaxBytes = 32;
const domainMaxBytes = 63;
/** "domain/id" */
export const attributeKeyMax = domainMaxBytes + 1 + idMaxBytes;
const poolNameMaxBytes = 253;

/** The rules are those for CSI drivers. */
export const validateDriverName = validateCSIDriverName;

export const validateLabelName = (name: string, path: FieldPath): FieldError[] =>
  check(path, name, dns1123Label);

export function validatePoolName(name: string, path: FieldPath): FieldError[] {
  if (name === "") return [required(path)];
  const errors = byteLength(name) > poolNameMaxBytes ? [tooLong(path, "", poolNameMaxBytes)] : [];
  return [...errors, ...name.split("/").flatMap((part) => check(path, part, dns1123Subdomain))];
}

function validateID(id: string, path: FieldPath): FieldError[] {
  const errors = byteLength(id) > idMaxBytes ? [tooLong(path, "", idMaxBytes)] : [];
  return [...errors, ...check(path, id, cIdentifier)];
}

/** "id" or "domain/id"; upstream lets more slashes pass. */
export function validateQualifiedName(name: string, path: FieldPath): FieldError[] {
  const parts = name.split("/");
  if (parts.length === 1) return validateID(name, path);
  if (parts.length > 2) return [];
  const [domain = "", id = ""] = parts;
  return [
    ...(domain === ""
      ? [invalid(path, "", "the domain must not be empty")]
      : validateDriverName(domain, path)),
    ...(id === "" ? [invalid(path, "", "the name must not be empty")] : validateID(id, path)),
  ];
}

export function validateFullyQualifiedName(name: string, path: FieldPath): FieldError[] {
  const errors = validateQualifiedName(name, path);
  if (!name.includes("/")) {
    const why = "a fully qualified name must be a domain and a name separated by a slash";
    errors.push(invalid(path, name, why));
  }
  return errors;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const uuidForms = /^(urn:uuid:[0-9a-f-]{36}|\{[0-9a-f-]{36}\}|[0-9a-f]{32}|[0-9a-f-]{36})$/i;

export function validateShareID(uid: string, path: FieldPath): FieldError[] {
  if (uuid.test(uid)) return [];
  if (!uuidForms.test(uid)) {
    const why = [32, 36, 38, 45].includes(uid.length)
      ? "invalid UUID format"
      : `invalid UUID length: ${uid.length}`;
    return [invalid(path, uid, `error validating uid: ${why}`)];
  }
  const why =
    "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with " +
    "lowercase hexadecimal characters";
  return [invalid(path, uid, why)];
}

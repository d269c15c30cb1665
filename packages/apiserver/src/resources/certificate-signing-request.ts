/**
 * CertificateSigningRequest: who asks is written down by the server, and never changes.
 *
 * Source  pkg/registry/certificates/certificates/strategy.go, pkg/apis/certificates/validation
 */
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from "@nanokube/api/certificates/v1";
import { quoteGo } from "@nanokube/machinery";
import type { ResourceStrategy, StrategyContext } from "../core/strategy.ts";
import {
  duplicate,
  type FieldError,
  field,
  forbidden,
  invalid,
  notSupported,
  required,
} from "./field.ts";
import { copyField, kind } from "./generic.ts";
import { dns1123Subdomain, pathSegment } from "./names.ts";
import { semanticEqual } from "./semantic-equal.ts";
import { age, columns, humanDuration, nameOf } from "./table.ts";

function recordRequestor(request: CertificateSigningRequest, context: StrategyContext): void {
  request.spec ??= {};
  const { spec } = request;
  const { uid, groups = [], extra } = context.userInfo ?? {};
  spec.username = context.user;
  if (uid) spec.uid = uid;
  else delete spec.uid;
  spec.groups = [...groups];
  delete spec.extra;
  if (extra !== undefined) {
    spec.extra = Object.fromEntries(Object.entries(extra).map(([key, list]) => [key, [...list]]));
  }
}

function stampConditions(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
  now: number,
) {
  const time = new Date(Math.floor(now / 1000) * 1000).toISOString().replace(".000Z", "Z");
  for (const condition of request.status?.conditions ?? []) {
    const same = old.status?.conditions?.find(
      (one) => one.type === condition.type && one.status === condition.status,
    );
    condition.lastUpdateTime ??= time;
    condition.lastTransitionTime ??= same?.lastTransitionTime ?? time;
  }
}

function validateSignerName(name: string): FieldError[] {
  const at = field("spec", "signerName");
  if (name === "") return [required(at)];
  const [domain = "", path, ...more] = name.split("/");
  if (path === undefined || more.length > 0) {
    const why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [invalid(at, name, why)];
  }
  const problems = [...dns1123Subdomain(domain), ...dns1123Subdomain(path)];
  const errors = problems.map((why) => invalid(at, name, why));
  if (problems.length === 0 && domain.split(".").length < 2) {
    errors.push(
      invalid(at, domain, "should be a domain with at least two segments separated by dots"),
    );
  }
  return errors;
}

const usages = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];

function validateRequest(request: CertificateSigningRequest): FieldError[] {
  const spec = request.spec ?? {};
  const path = field("spec");
  const errors: FieldError[] = [];
  const pem = (() => {
    try {
      return atob(spec.request ?? "");
    } catch {
      return "";
    }
  })();
  if (!/-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(pem)) {
    const why = "PEM block type must be CERTIFICATE REQUEST";
    errors.push(invalid(path.child("request"), spec.request ?? null, why));
  }
  const given = spec.usages ?? [];
  if (given.length === 0) errors.push(required(path.child("usages")));
  for (const [i, usage] of given.entries()) {
    const at = path.child("usages").index(i);
    if (!usages.includes(usage)) errors.push(notSupported(at, usage, usages));
    if (given.indexOf(usage) < i) errors.push(duplicate(at, usage));
  }
  errors.push(...validateSignerName(spec.signerName ?? ""));
  const seconds = spec.expirationSeconds;
  if (seconds !== undefined && seconds < 600) {
    const why = "may not specify a duration less than 600 seconds (10 minutes)";
    errors.push(invalid(path.child("expirationSeconds"), seconds, why));
  }
  return errors;
}

type Conditions = readonly CertificateSigningRequestCondition[];

function ofTypes(conditions: Conditions | undefined, types: readonly string[]): Conditions {
  return (conditions ?? []).filter((one) => types.includes(one.type ?? ""));
}

function validateConditions(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
  subresource: string,
): FieldError[] {
  const at = field("status", "conditions");
  const [now, before] = [request.status?.conditions, old.status?.conditions];
  const decisions = ["Approved", "Denied"];
  const errors: FieldError[] = [];
  for (const [i, condition] of (now ?? []).entries()) {
    if (!condition.type) errors.push(required(at.index(i).child("type")));
    const status = at.index(i).child("status");
    if (!condition.status) errors.push(required(status));
    else if (
      condition.status !== "True" &&
      [...decisions, "Failed"].includes(condition.type ?? "")
    ) {
      errors.push(notSupported(status, condition.status, ["True"]));
    }
  }
  const has = (type: string) => ofTypes(now, [type]).length > 0;
  if (has("Approved") && has("Denied")) {
    errors.push(invalid(at, "Denied", "Approved and Denied conditions are mutually exclusive"));
  }
  if (
    subresource === "status" &&
    !semanticEqual(ofTypes(now, decisions), ofTypes(before, decisions))
  ) {
    errors.push(forbidden(at, 'updates may not modify a condition of type "Approved"'));
  }
  if (subresource === "approval") {
    for (const type of decisions) {
      const gone = ofTypes(before, [type]).length > 0 && !has(type);
      if (gone) errors.push(forbidden(at, `updates may not remove a condition of type "${type}"`));
    }
  }
  return errors;
}

/** A PEM block's type and what stands within it. */
const block = /-----BEGIN ([^\n-]*)-----\n([\s\S]*?)-----END \1-----/g;

function certificateProblem(pem: string): string | undefined {
  const blocks = [...pem.matchAll(block)];
  if (blocks.length === 0) return "must contain at least one CERTIFICATE PEM block";
  for (const [, type = "", content = ""] of blocks) {
    if (type !== "CERTIFICATE") {
      return `only CERTIFICATE PEM blocks are allowed, found ${quoteGo(type)}`;
    }
    if (content.includes(":")) return "no PEM block headers are permitted";
  }
  return undefined;
}

function validateCertificate(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
): FieldError[] {
  const certificate = request.status?.certificate ?? "";
  const before = old.status?.certificate ?? "";
  const at = field("status", "certificate");
  if (certificate === before) return [];
  const problem = certificate === "" ? undefined : certificateProblem(atob(certificate));
  const errors = problem === undefined ? [] : [invalid(at, "<certificate data>", problem)];
  if (before === "") return errors;
  return [...errors, forbidden(at, "updates may not modify existing certificate content")];
}

function validateUpdate(
  request: CertificateSigningRequest,
  old: CertificateSigningRequest,
  subresource: string,
): FieldError[] {
  const errors = validateConditions(request, old, subresource);
  return subresource === "status" ? [...validateCertificate(request, old), ...errors] : errors;
}

function conditionText(request: CertificateSigningRequest): string {
  const has = (type: string) =>
    (request.status?.conditions ?? []).some((condition) => condition.type === type);
  const first = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  const failed = has("Failed") ? ",Failed" : "";
  return `${first}${failed}${request.status?.certificate ? ",Issued" : ""}`;
}

export const certificateSigningRequestStrategy: ResourceStrategy = kind(
  { updateMeta: ["whole", "update"], status: true, name: pathSegment },
  {
    default(object) {
      const { spec } = object as CertificateSigningRequest;
      if (spec !== undefined && (spec.usages ?? []).length === 0 && spec.signerName) {
        if (object.apiVersion !== "certificates.k8s.io/v1") {
          spec.usages = ["digital signature", "key encipherment"];
        }
      }
    },
    prepareForCreate: (object, context) =>
      recordRequestor(object as CertificateSigningRequest, context),
    prepareForUpdate(object, old, { subresource, now }) {
      const [request, before] = [object, old] as CertificateSigningRequest[];
      copyField(object, old, "spec");
      if (subresource === "") return;
      stampConditions(request!, before!, now);
      if (subresource !== "approval") return;
      const conditions = request!.status?.conditions;
      request!.status = { ...before!.status };
      if (conditions !== undefined) request!.status.conditions = conditions;
    },
    validate: (object) => validateRequest(object as CertificateSigningRequest),
    validateUpdate: (object, old, { subresource }) =>
      validateUpdate(
        object as CertificateSigningRequest,
        old as CertificateSigningRequest,
        subresource,
      ),
    selectableFields: (object) => ({
      "spec.signerName": (object as CertificateSigningRequest).spec?.signerName ?? "",
    }),
    columns: columns("Name, Age, SignerName, Requestor, RequestedDuration, Condition"),
    row(object, now) {
      const request = object as CertificateSigningRequest;
      const seconds = request.spec?.expirationSeconds;
      return [
        nameOf(request),
        age(request, now),
        request.spec?.signerName || "<none>",
        request.spec?.username ?? "",
        seconds === undefined ? "<none>" : humanDuration(seconds * 1000),
        conditionText(request),
      ];
    },
  },
);

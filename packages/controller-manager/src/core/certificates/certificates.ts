/**
 * Certificate signing requests: approved when a kubelet asks for its own and may, signed when
 * approved, cleaned up in time.
 *
 * Source  pkg/controller/certificates: approver/sarapprove.go, signer/signer.go, cleaner/cleaner.go
 */
import type { SubjectAccessReview } from "@nanokube/api/authorization/v1";
import type { CertificateSigningRequest } from "@nanokube/api/certificates/v1";
import { type ApiObject, certificateSigningRequests, type ResourceRef } from "@nanokube/client";
import { findCondition } from "../conditions.ts";
import { type Caches, type Context, type Controller, watchOwn } from "../controller.ts";
import { attempt, create, remove, type Steps, updateStatus } from "../steps.ts";
import { formatTime, parseTime } from "../time.ts";
import { type ParsedRequest, signers, validateKubeletClient, validateRequest } from "./request.ts";

const subjectAccessReviews: ResourceRef<SubjectAccessReview> = {
  group: "authorization.k8s.io",
  version: "v1",
  plural: "subjectaccessreviews",
  namespaced: false,
  kind: "SubjectAccessReview",
};

/** What is asked of the one who knows X.509. */
export type CertificateQuestion =
  | { ask: "parse"; request: string }
  | { ask: "sign"; request: string; usages: readonly string[]; seconds: number; nowMs: number };

const yearSeconds = 365 * 24 * 3600;
const shortestSeconds = 600;
const hourMs = 3_600_000;

export function createApprovingController(): Controller {
  return {
    name: "certificatesigningrequest-approving-controller",
    watches: [watchOwn(certificateSigningRequests)],
    reconcile: approve,
  };
}

export function createSigningController(): Controller {
  return {
    name: "certificatesigningrequest-signing-controller",
    watches: [watchOwn(certificateSigningRequests)],
    reconcile: sign,
  };
}

export function createCleanerController(): Controller {
  return {
    name: "certificatesigningrequest-cleaner-controller",
    watches: [watchOwn(certificateSigningRequests)],
    reconcile: clean,
  };
}

function has(csr: CertificateSigningRequest, type: string): boolean {
  return findCondition(csr.status?.conditions, type)?.status === "True";
}

function find(name: string, caches: Caches): CertificateSigningRequest | undefined {
  return caches.of(certificateSigningRequests).get("", name);
}

function* parse(csr: CertificateSigningRequest): Steps<ParsedRequest> {
  const question: CertificateQuestion = { ask: "parse", request: csr.spec?.request ?? "" };
  const { answer, error } = yield* attempt({ do: "ask", question });
  if (error !== undefined) {
    throw new Error(`unable to parse csr "${csr.metadata?.name}": ${error.message}`);
  }
  return answer as ParsedRequest;
}

export function* approve(name: string, { caches, nowMs }: Context): Steps<undefined> {
  const csr = find(name, caches);
  if (csr === undefined || csr.status?.certificate || has(csr, "Approved") || has(csr, "Denied")) {
    return undefined;
  }
  if (csr.spec?.signerName !== signers.kubeletClient) return undefined;
  const request = yield* parse(csr);
  if (validateKubeletClient(request, csr.spec.usages ?? []) !== undefined) return undefined;
  const own = csr.spec.username === request.commonName;
  const ways = own ? (["selfnodeclient", "nodeclient"] as const) : (["nodeclient"] as const);
  for (const subresource of ways) {
    if (!(yield* mayCreate(csr, subresource))) continue;
    const self = subresource === "selfnodeclient" ? "self " : "";
    const what = `Auto approving ${self}kubelet client certificate`;
    yield* setApproved(csr, `${what} after SubjectAccessReview.`, nowMs);
    return undefined;
  }
  return undefined;
}

function* mayCreate(csr: CertificateSigningRequest, subresource: string): Steps<boolean> {
  const { username, uid, groups, extra } = csr.spec ?? {};
  const review = yield* create(subjectAccessReviews, {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: {
      user: username,
      ...(uid === undefined ? {} : { uid }),
      ...(groups === undefined ? {} : { groups }),
      ...(extra === undefined ? {} : { extra }),
      resourceAttributes: {
        group: "certificates.k8s.io",
        resource: "certificatesigningrequests",
        verb: "create",
        subresource,
        version: "*",
      },
    },
  });
  return review.status?.allowed === true;
}

function* setApproved(csr: CertificateSigningRequest, message: string, nowMs: number): Steps {
  const now = formatTime(nowMs);
  const condition = {
    type: "Approved",
    status: "True",
    reason: "AutoApproved",
    message,
    lastUpdateTime: now,
    lastTransitionTime: now,
  };
  const conditions = [...(csr.status?.conditions ?? []), condition];
  const { error } = yield* attempt({
    do: "update",
    resource: certificateSigningRequests,
    object: { ...csr, status: { ...csr.status, conditions } } as ApiObject,
    subresource: "approval",
  });
  if (error !== undefined) throw error;
}

const known: ReadonlySet<string> = new Set(Object.values(signers));

/** @hop certificates.sign: an approved request becomes a certificate of the cluster's CA. */
export function* sign(name: string, { caches, nowMs }: Context): Steps<undefined> {
  const csr = find(name, caches);
  const { signerName = "", request = "", usages = [], expirationSeconds } = csr?.spec ?? {};
  if (csr === undefined || !known.has(signerName) || csr.status?.certificate) return undefined;
  if (!has(csr, "Approved") || has(csr, "Denied") || has(csr, "Failed")) return undefined;
  const why = validateRequest(signerName, yield* parse(csr), usages);
  if (why !== undefined) {
    const now = formatTime(nowMs);
    const condition = {
      type: "Failed",
      status: "True",
      reason: "SignerValidationFailure",
      message: why,
      lastUpdateTime: now,
      lastTransitionTime: now,
    };
    const conditions = [...(csr.status?.conditions ?? []), condition];
    yield* updateStatus(certificateSigningRequests, {
      ...csr,
      status: { ...csr.status, conditions },
    });
    return undefined;
  }
  const seconds = Math.min(
    yearSeconds,
    Math.max(shortestSeconds, expirationSeconds ?? yearSeconds),
  );
  const question: CertificateQuestion = { ask: "sign", request, usages, seconds, nowMs };
  const { answer, error } = yield* attempt({ do: "ask", question });
  if (error !== undefined) throw new Error(`error auto signing csr: ${error.message}`);
  const status = { ...csr.status, certificate: answer as string };
  yield* updateStatus(certificateSigningRequests, { ...csr, status });
  return undefined;
}

/** Decided ones are kept for an hour, undecided ones for a day. */
export function* clean(name: string, { caches, nowMs }: Context): Steps<number | undefined> {
  const csr = find(name, caches);
  if (csr === undefined) return undefined;
  const decided = (csr.status?.conditions ?? []).map((condition) =>
    parseTime(condition.lastUpdateTime),
  );
  const settled = decided.length > 0 || Boolean(csr.status?.certificate);
  const fromMs =
    decided.length > 0 ? Math.max(...decided) : parseTime(csr.metadata?.creationTimestamp);
  const leftMs = fromMs + (settled ? hourMs : 24 * hourMs) - nowMs;
  if (leftMs > 0) return leftMs;
  yield* remove(certificateSigningRequests, csr);
  return undefined;
}

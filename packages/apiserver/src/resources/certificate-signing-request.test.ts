/** What a signer may write; the rest is compared with upstream's answers in packages/conformance. */
import type { CertificateSigningRequest } from "@nanokube/api/certificates/v1";
import { expect, test } from "vitest";
import { certificateSigningRequestStrategy as strategy } from "./certificate-signing-request.ts";

const context = {
  now: 0,
  subresource: "status",
  namespace: "",
  user: "signer",
};

test("a write of the status may carry annotations, and never changes what was asked for", () => {
  const old: CertificateSigningRequest = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name: "r" },
    spec: { request: "AA==", signerName: "example.com/s", usages: ["any"] },
  };
  const written: CertificateSigningRequest = {
    ...old,
    metadata: { name: "r", annotations: { signed: "yes" } },
    spec: { ...old.spec, signerName: "example.com/other" },
    status: { certificate: "AA==" },
  };
  strategy.prepareForUpdate?.(written, old, context);
  expect(written.metadata?.annotations).toEqual({ signed: "yes" });
  expect(written.spec?.signerName).toBe("example.com/s");
  expect(written.status).toEqual({ certificate: "AA==" });
});

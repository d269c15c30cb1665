/**
 * CertificateApproval, CertificateSigning, CertificateSubjectRestriction: a signer's name is a
 * resource of its own, and nobody gets a certificate for system:masters from the usual signer.
 *
 * Source  plugin/pkg/admission/certificates/{approval,signing,subjectrestriction}/admission.go
 */
import type { CertificateSigningRequest } from "@nanokube/api/certificates/v1";
import { badRequest, quoteGo } from "@nanokube/machinery";
import type { Name } from "@peculiar/x509";
import { semanticEqual } from "../../resources/semantic-equal.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "./plugin.ts";
import { isFor, refuse } from "./refuse.ts";

/** `request` as the API holds it: base64 of PEM. The library loads slowly and is rarely needed. */
async function subjectOf(request: string): Promise<Name> {
  await import("reflect-metadata");
  const { Pkcs10CertificateRequest } = await import("@peculiar/x509");
  return new Pkcs10CertificateRequest(atob(request)).subjectName;
}

export async function commonNameOf(request: string): Promise<string> {
  return (await subjectOf(request)).getField("CN").at(-1) ?? "";
}

const group = "certificates.k8s.io";
const plural = "certificatesigningrequests";

/** May the user do this to the signer, or to all signers of its domain? */
async function mayUse(
  authorizer: Authorizer,
  { user }: AdmissionAttributes,
  verb: "approve" | "sign",
  signerName: string,
): Promise<boolean> {
  const domain = signerName.split("/")[0] ?? "";
  for (const name of [signerName, `${domain}/*`]) {
    const { decision } = await authorizer.authorize({
      user,
      verb,
      resourceRequest: true,
      namespace: "",
      apiGroup: group,
      apiVersion: "*",
      resource: "signers",
      subresource: "",
      name,
      path: "",
    });
    if (decision === "allow") return true;
  }
  return false;
}

function signerPlugin(
  authorizer: Authorizer,
  name: string,
  subresource: string,
  verb: "approve" | "sign",
  concerns: (request: CertificateSigningRequest, old: CertificateSigningRequest) => boolean,
): AdmissionPlugin {
  return {
    name,
    handles: (attributes) =>
      attributes.operation === "UPDATE" && isFor(attributes, group, plural, subresource),
    async validate(attributes) {
      const request = attributes.object as CertificateSigningRequest;
      const old = attributes.oldObject as CertificateSigningRequest;
      if (!concerns(request, old)) return;
      const signer = old.spec?.signerName ?? "";
      if (await mayUse(authorizer, attributes, verb, signer)) return;
      const why = `user not permitted to ${verb} requests with signerName ${quoteGo(signer)}`;
      throw refuse(attributes, why);
    },
  };
}

const failed = (request: CertificateSigningRequest) =>
  (request.status?.conditions ?? []).filter((condition) => condition.type === "Failed");

export function createCertificatePlugins(authorizer: Authorizer): AdmissionPlugin[] {
  return [
    signerPlugin(authorizer, "CertificateApproval", "approval", "approve", () => true),
    signerPlugin(
      authorizer,
      "CertificateSigning",
      "status",
      "sign",
      (request, old) =>
        request.status?.certificate !== old.status?.certificate ||
        !semanticEqual(failed(request), failed(old)),
    ),
  ];
}

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: "CertificateSubjectRestriction",
  handles: (attributes) => attributes.operation === "CREATE" && isFor(attributes, group, plural),
  async validate(attributes) {
    const { spec } = attributes.object as CertificateSigningRequest;
    if (spec?.signerName !== "kubernetes.io/kube-apiserver-client") return;
    let organizations: string[];
    try {
      organizations = (await subjectOf(spec.request ?? "")).getField("O");
    } catch (error) {
      throw badRequest(`failed to parse CSR: ${(error as Error).message}`);
    }
    if (!organizations.includes("system:masters")) return;
    const signer = quoteGo(spec.signerName);
    const why = `use of ${signer} signer with system:masters group is not allowed`;
    throw refuse(attributes, why);
  },
};

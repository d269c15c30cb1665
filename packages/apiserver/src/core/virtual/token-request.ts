/** POST serviceaccounts/token: a signed, bound token. */
import type { TokenRequest } from "@nanokube/api/authentication/v1";
import { type KubeObject, notImplemented } from "@nanokube/machinery";
import { decodeJwt } from "jose";
import type { TokenIssuer } from "../authentication/token-issuer.ts";
import type { ApiResponse, RestContext } from "../rest/context.ts";
import { decodeBody } from "../rest/decode-body.ts";
import { parseWriteOptions } from "../rest/options.ts";
import { respondWithTree } from "../rest/respond.ts";

const typeName = "io.k8s.api.authentication.v1.TokenRequest";

export async function requestToken(
  context: RestContext,
  issuer: TokenIssuer | undefined,
): Promise<ApiResponse> {
  if (issuer === undefined) {
    throw notImplemented("tokens are not issued: no service-account signing key was given");
  }
  const { info, request, resource, server } = context;
  const options = parseWriteOptions(request.query, "CreateOptions");
  const expected = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", typeName };
  const asked = await decodeBody(context, expected, options.fieldValidation);
  const attributes = {
    operation: "CREATE" as const,
    resource: resource.info,
    subresource: "token",
    namespace: info.namespace,
    name: info.name,
    user: context.user,
    dryRun: options.dryRun,
    object: asked,
    options: options.object,
    warn: (text: string) => void context.warnings.add(text),
    annotate: context.annotate,
  };
  await server.admission.admit(attributes);
  await server.admission.validate(attributes);
  const { namespace, name } = info;
  const token = await issuer.issue(asked as TokenRequest, namespace, name, attributes);
  const { jti } = decodeJwt(token.status?.token ?? "");
  context.annotate?.("authentication.kubernetes.io/issued-credential-id", `JTI=${jti}`);
  const plain = { ...context, output: { ...context.output, as: "" as const } };
  return respondWithTree(plain, 201, token as KubeObject, typeName);
}

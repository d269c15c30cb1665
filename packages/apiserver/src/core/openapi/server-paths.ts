/**
 * The paths of the server itself: discovery of groups and versions, /version, OpenID.
 *
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/discovery/{root,legacy,group,version}.go,
 *         staging/src/k8s.io/apiserver/pkg/server/routes/version.go, pkg/routes/openidmetadata.go
 */
import { type Operation, type Path, rootOf, tagOf, titleOf } from "./operations.ts";

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
const json = "application/json";
const wire = [json, "application/yaml", "application/vnd.kubernetes.protobuf"];

function read(path: string, id: string, tag: string, type: string): Path {
  const operation: Operation = {
    method: "get",
    id,
    tag,
    parameters: [],
    answers: [[200, type]],
    consumes: wire,
    produces: wire,
  };
  return { path, operations: [operation] };
}

function readWith(path: Path, media: Pick<Operation, "consumes" | "produces">): Path {
  return { ...path, operations: path.operations.map((operation) => ({ ...operation, ...media })) };
}

/** GET /apis/G/V/: which resources? */
export function versionPath(group: string, version: string): Path {
  const id = `get${titleOf(group, version)}APIResources`;
  const tag = tagOf(group, version);
  return read(`${rootOf(group, version)}/`, id, tag, `${meta}.APIResourceList`);
}

/** GET /apis/G/: which versions? */
export function groupPath(group: string): Path {
  const tag = tagOf(group, "").slice(0, -1);
  return read(`/apis/${group}/`, `get${titleOf(group)}APIGroup`, tag, `${meta}.APIGroup`);
}

/** By the name under which OpenAPI v3 lists the document that holds the path. */
export const serverPaths: Readonly<Record<string, Path>> = {
  api: read("/api/", "getCoreAPIVersions", "core", `${meta}.APIVersions`),
  apis: read("/apis/", "getAPIVersions", "apis", `${meta}.APIGroupList`),
  version: readWith(
    read("/version/", "getCodeVersion", "version", "io.k8s.apimachinery.pkg.version.Info"),
    { consumes: [json], produces: [json] },
  ),
  ".well-known/openid-configuration": readWith(
    read(
      "/.well-known/openid-configuration/",
      "getServiceAccountIssuerOpenIDConfiguration",
      "WellKnown",
      "string",
    ),
    { consumes: [], produces: [json] },
  ),
  "openid/v1/jwks": readWith(
    read("/openid/v1/jwks/", "getServiceAccountIssuerOpenIDKeyset", "openid", "string"),
    { consumes: [], produces: ["application/jwk-set+json"] },
  ),
};

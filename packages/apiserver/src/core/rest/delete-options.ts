/** DeleteOptions as client-go sends them: protobuf in an envelope. */
import { badRequest, decodeEnvelope, decodeProtobuf, type KubeObject } from "@nanokube/machinery";

const typeName = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";

export function decodeDeleteOptions(body: Uint8Array): KubeObject {
  try {
    const { raw, apiVersion } = decodeEnvelope(body);
    return { ...decodeProtobuf(typeName, raw), kind: "DeleteOptions", apiVersion } as KubeObject;
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

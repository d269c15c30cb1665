/** DeleteOptions in a body: protobuf in an envelope, as client-go sends them; JSON; YAML. */
import {
  badRequest,
  decodeEnvelope,
  decodeJSON,
  decodeProtobuf,
  type KubeObject,
  parseJSON,
  parseYAML,
  YAMLError,
} from "@nanokube/machinery";
import { messageOf, notRegistered } from "./decode-body.ts";

const typeName = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";

export function decodeDeleteOptions(body: Uint8Array): KubeObject {
  try {
    const { raw, apiVersion } = decodeEnvelope(body);
    return { ...decodeProtobuf(typeName, raw), kind: "DeleteOptions", apiVersion } as KubeObject;
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error));
  }
}

export function decodeOptionsText(text: string, format: "json" | "yaml"): KubeObject {
  let json = text;
  let parsed: unknown;
  try {
    if (format === "yaml") json = JSON.stringify(parseYAML(text) ?? null);
    parsed = parseJSON(json);
  } catch (error) {
    const where = error instanceof YAMLError ? "" : "couldn't get version/kind; json parse error: ";
    throw badRequest(`${where}${messageOf(error)}`);
  }
  if (Array.isArray(parsed) || (typeof parsed !== "object" && parsed !== undefined)) {
    const what = Array.isArray(parsed) ? "array" : typeof parsed;
    throw badRequest(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  }
  const { kind = "", apiVersion = "v1" } = (parsed ?? {}) as KubeObject;
  if (kind !== "" && kind !== "DeleteOptions") throw badRequest(notRegistered(apiVersion, kind));
  try {
    return decodeJSON(json, typeName).object;
  } catch (error) {
    throw badRequest(messageOf(error));
  }
}

/**
 * In which form does the caller want its answer, and in which form is its body?
 *
 * Shapes  Accept: application/json;as=Table;v=v1;g=meta.k8s.io, application/json;q=0.5
 * Errors  406 NotAcceptable, 415 UnsupportedMediaType, in upstream's words
 * Source  staging/src/k8s.io/apiserver/pkg/endpoints/handlers/negotiation/negotiate.go
 */
import { genericStatus, notAcceptable, unsupportedMediaType } from "@nanokube/machinery";

export type WireFormat = "json" | "yaml" | "protobuf";
export type Conversion = "" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";

export interface MediaType {
  format: WireFormat;
  /** What to turn the object into before encoding it. */
  as: Conversion;
  /** Version of meta.k8s.io asked for with `as`. */
  asVersion: string;
  pretty: boolean;
  stream: boolean;
}

export const mediaTypes: Readonly<Record<WireFormat, string>> = {
  json: "application/json",
  yaml: "application/yaml",
  protobuf: "application/vnd.kubernetes.protobuf",
};
const formatOf: Readonly<Record<string, WireFormat>> = {
  "application/json": "json",
  "application/yaml": "yaml",
  "application/vnd.kubernetes.protobuf": "protobuf",
};
const builtinFormats: readonly WireFormat[] = ["json", "yaml", "protobuf"];
const customFormats: readonly WireFormat[] = ["json", "yaml"];

interface Clause {
  type: string;
  quality: number;
  specificity: number;
  parameters: Map<string, string>;
}

export interface NegotiationScope {
  /** A custom resource has no protobuf. */
  custom: boolean;
  /** It can be watched, which errors tell by more forms. */
  watchable?: boolean;
  /** The endpoint can answer with tables and partial metadata. */
  convertible: boolean;
  /** Nothing to make a table of: reviews, which are questions. */
  tableless?: boolean;
}

export function negotiateOutput(
  accept: string | undefined,
  pretty: boolean,
  scope: NegotiationScope,
): MediaType {
  const formats = scope.custom ? customFormats : builtinFormats;
  const fallback: MediaType = { format: "json", as: "", asVersion: "", pretty, stream: false };
  if (accept === undefined || accept.trim() === "") return fallback;
  for (const clause of parseAccept(accept)) {
    const format = acceptedFormat(clause.type, formats);
    if (format === undefined) continue;
    const media = convert(clause, format, pretty, scope);
    if (media !== undefined) return media;
  }
  const offered = formats.map((format) => mediaTypes[format]);
  // A type that nobody knows is refused by the router already, in its own words.
  if (parseAccept(accept).some(({ type }) => acceptedFormat(type, formats) !== undefined)) {
    throw notAcceptable(offered);
  }
  const streams = scope.watchable
    ? formats
        .filter((format) => format !== "yaml")
        .map((format) => `${mediaTypes[format]};stream=watch`)
    : [];
  const listed = [...offered, ...streams].join(", ");
  const message = `406: Not Acceptable\n\nAvailable representations: ${listed}`;
  const error = genericStatus(406, "NotAcceptable", message);
  error.status.details = {};
  throw error;
}

function convert(
  clause: Clause,
  format: WireFormat,
  pretty: boolean,
  scope: NegotiationScope,
): MediaType | undefined {
  const as = clause.parameters.get("as") ?? "";
  const media: MediaType = { format, as: "", asVersion: "", pretty, stream: false };
  if (clause.parameters.get("pretty") === "1") media.pretty = true;
  const stream = clause.parameters.get("stream");
  if (stream === "watch") media.stream = true;
  if (as === "") return media;
  const version = clause.parameters.get("v") ?? "";
  const group = clause.parameters.get("g") ?? "";
  if (!scope.convertible || group !== "meta.k8s.io") return undefined;
  if (version !== "v1" && version !== "v1beta1") return undefined;
  if (as === "Table" || as === "PartialObjectMetadata" || as === "PartialObjectMetadataList") {
    if (as === "Table" && (format === "protobuf" || scope.tableless)) return undefined;
    media.as = as;
    media.asVersion = version;
    return media;
  }
  return undefined;
}

function acceptedFormat(type: string, formats: readonly WireFormat[]): WireFormat | undefined {
  if (type === "*/*") return "json";
  const format = formatOf[type];
  return format !== undefined && formats.includes(format) ? format : undefined;
}

/** A client says the same with every request. */
const acceptsMax = 256;
const accepts = new Map<string, readonly Clause[]>();

function parseAccept(accept: string): readonly Clause[] {
  const known = accepts.get(accept);
  if (known !== undefined) return known;
  const clauses = clausesOf(accept);
  if (accepts.size >= acceptsMax) accepts.clear();
  if (accept.length <= 512) accepts.set(accept, clauses);
  return clauses;
}

/** By quality, then by how specific they are, then in the order they came. */
function clausesOf(accept: string): Clause[] {
  const clauses = accept.split(",").map((text): Clause => {
    const [type = "", ...rest] = text.split(";");
    const parameters = new Map<string, string>();
    for (const parameter of rest) {
      const at = parameter.indexOf("=");
      if (at > 0) parameters.set(parameter.slice(0, at).trim(), parameter.slice(at + 1).trim());
    }
    const quality = Number(parameters.get("q") ?? "1");
    const name = type.trim().toLowerCase();
    const specificity = name === "*/*" ? 0 : name.endsWith("/*") ? 1 : 2;
    return { type: name, quality: Number.isNaN(quality) ? 1 : quality, specificity, parameters };
  });
  return clauses.sort((a, b) => b.quality - a.quality || b.specificity - a.specificity);
}

/** The form of a request's body; absent means JSON (upstream guesses likewise). */
export function negotiateInput(contentType: string | undefined, custom: boolean): WireFormat {
  if (contentType === undefined || contentType.trim() === "") return "json";
  const type = contentType.split(";")[0]!.trim().toLowerCase();
  const format = formatOf[type];
  const formats = custom ? customFormats : builtinFormats;
  if (format !== undefined && formats.includes(format)) return format;
  throw unsupportedMediaType(formats.map((known) => mediaTypes[known]));
}

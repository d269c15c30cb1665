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
const jsonOnly: readonly WireFormat[] = ["json"];

interface Clause {
  type: string;
  subtype: string;
  quality: number;
  parameters: Map<string, string>;
}

export interface NegotiationScope {
  /** A custom resource has no protobuf. */
  custom: boolean;
  /** It can be watched, which errors tell by more forms. */
  watchable?: boolean;
  /** It is watched: YAML has no streams. */
  watching?: boolean;
  /** The endpoint can answer with tables and partial metadata. */
  convertible: boolean;
  /** Nothing to make a table of: reviews, which are questions. */
  tableless?: boolean;
  /** Nothing but JSON. */
  onlyJSON?: boolean;
}

export function negotiateOutput(
  accept: string | undefined,
  pretty: boolean,
  scope: NegotiationScope,
): MediaType {
  const formats = scope.onlyJSON ? jsonOnly : scope.custom ? customFormats : builtinFormats;
  const fallback: MediaType = { format: "json", as: "", asVersion: "", pretty, stream: false };
  if (accept === undefined || accept === "") return fallback;
  if (!isRouted(accept, formats)) throw nothingAvailable(formats, scope);
  for (const clause of parseAccept(accept)) {
    for (const format of formats.filter((each) => matches(clause, each))) {
      const media = convert(clause, format, pretty, scope);
      if (media !== undefined && !(scope.watching && format === "yaml")) return media;
      if (media !== undefined) throw notAcceptable(streamsOf(formats));
    }
  }
  const offered = formats.map((format) => mediaTypes[format]);
  throw notAcceptable(offered);
}

/** The router looks first, at whole types only: a type that nobody knows is refused in its words. */
function isRouted(accept: string, formats: readonly WireFormat[]): boolean {
  return accept.split(",").some((clause) => {
    const type = clause.split(";")[0]!.trim();
    return type === "*/*" || formats.some((format) => mediaTypes[format] === type);
  });
}

const streamsOf = (formats: readonly WireFormat[]): string[] =>
  formats.filter((format) => format !== "yaml").map((each) => `${mediaTypes[each]};stream=watch`);

function nothingAvailable(formats: readonly WireFormat[], scope: NegotiationScope): Error {
  const offered = formats.map((format) => mediaTypes[format]);
  const listed = [...offered, ...(scope.watchable ? streamsOf(formats) : [])].join(", ");
  const message = `406: Not Acceptable\n\nAvailable representations: ${listed}`;
  const error = genericStatus(406, "NotAcceptable", message);
  error.status.details = {};
  return error;
}

function matches({ type, subtype }: Clause, format: WireFormat): boolean {
  const [ownType, ownSubtype] = mediaTypes[format].split("/");
  if (type === "*") return subtype === "*";
  return type === ownType && (subtype === "*" || subtype === ownSubtype);
}

function convert(
  { parameters }: Clause,
  format: WireFormat,
  pretty: boolean,
  scope: NegotiationScope,
): MediaType | undefined {
  const media: MediaType = { format, as: "", asVersion: "", pretty, stream: false };
  if (parameters.get("pretty") === "1") media.pretty = true;
  const stream = parameters.get("stream") ?? "";
  if (stream !== "" && (stream !== "watch" || format === "yaml")) return undefined;
  media.stream = stream === "watch";
  if (!["as", "g", "v"].some((name) => parameters.has(name))) return media;
  const as = parameters.get("as") ?? "";
  const version = parameters.get("v") ?? "";
  if (!scope.convertible || parameters.get("g") !== "meta.k8s.io") return undefined;
  if (version !== "v1" && version !== "v1beta1") return undefined;
  if (as === "Table" || as === "PartialObjectMetadata" || as === "PartialObjectMetadataList") {
    if (as === "Table" && (format === "protobuf" || scope.tableless)) return undefined;
    media.as = as;
    media.asVersion = version;
    return media;
  }
  return undefined;
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
  const clauses: Clause[] = [];
  for (const text of accept.split(",")) {
    const [range = "", ...rest] = text.trim().split(";");
    const [type = "", subtype = type === "*" ? "*" : "", ...more] = range
      .split("/")
      .map((part) => part.trim());
    if (subtype === "" || more.length > 0) continue;
    const clause: Clause = { type, subtype, quality: 1, parameters: new Map() };
    for (const parameter of rest) {
      const [name = "", value = "", ...others] = parameter.split("=");
      if (value === "" || others.length > 0) continue;
      if (name.trim() === "q") clause.quality = Number(value) || 0;
      else clause.parameters.set(name.trim(), value.trim());
    }
    clauses.push(clause);
  }
  const specificity = ({ type, subtype }: Clause): number =>
    Number(type !== "*") * 2 + Number(subtype !== "*");
  return clauses.sort((a, b) => b.quality - a.quality || specificity(b) - specificity(a));
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

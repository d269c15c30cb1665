/**
 * The JSON gateway: `POST /v3/kv/range {"key":"Zm9v"}` beside gRPC on the same port.
 *
 * A unary call's answer is one JSON object; a streaming call's is one line a message,
 * `{"result":…}` or at last `{"error":…}`, while the client stays. The body of a streaming call is
 * its requests, one after the other, each taken when it comes; one that is none ends them.
 * Source  github.com/grpc-ecosystem/grpc-gateway/v2 runtime/errors.go, handler.go
 */
import {
  type Channel,
  codes,
  type Metadata,
  type MethodInfo,
  type PlainRequest,
  type PlainResponse,
  toRpcError,
} from "@nanokube/rpc";
import { fromJson, toJson } from "../core/gateway/json-messages.ts";
import { JsonError, parseJsonValues } from "../core/gateway/parse-json.ts";
import { findRoute } from "../core/gateway/routes.ts";
import { JsonSplitter } from "../core/gateway/split-json.ts";

const jsonType = { "content-type": "application/json" };
const answeredType = { ...jsonType, "grpc-metadata-content-type": "application/grpc" };

export async function answerGateway(
  channel: Channel,
  path: string,
  request: PlainRequest,
): Promise<PlainResponse> {
  const method = findRoute(path);
  if (method === undefined) return failure(codes.NOT_FOUND, "Not Found");
  if (request.method !== "POST") return failure(codes.UNIMPLEMENTED, "Method Not Allowed");
  const call = { method: method as AnyMethod, request, channel };
  try {
    if (method.clientStreaming) return await answerStream(call, requestsOf(call));
    const values = parseJsonValues((await request.body()).toString());
    const requests = values.map((value) => fromJson(method.request.name, value));
    const first = requests[0] ?? {};
    return await (method.serverStreaming ? answerStream(call, [first]) : answerUnary(call, first));
  } catch (error) {
    if (error instanceof JsonError) return failure(codes.INVALID_ARGUMENT, error.message);
    const { code, details } = toRpcError(error);
    return failure(code, details);
  }
}

type AnyMethod = MethodInfo<object, object>;

interface GatewayCall {
  readonly method: AnyMethod;
  readonly request: PlainRequest;
  readonly channel: Channel;
}

async function* requestsOf({ method, request }: GatewayCall): AsyncIterable<object> {
  const splitter = new JsonSplitter();
  const decoder = new TextDecoder();
  const read = (text: string) => fromJson(method.request.name, parseJsonValues(text)[0]!);
  for await (const chunk of request.chunks()) {
    for (const text of splitter.push(decoder.decode(chunk, { stream: true }))) yield read(text);
  }
  for (const text of splitter.end()) yield read(text);
}

/** Marks calls that come this way: the certificate behind them is not the user's. */
function metadataOf({ headers }: PlainRequest): Metadata {
  const { authorization } = headers;
  const token = Array.isArray(authorization) ? authorization[0] : authorization;
  const mark = { "grpcgateway-accept": String(headers["accept"] ?? "*/*") };
  return token === undefined ? mark : { ...mark, authorization: token };
}

async function answerUnary({ method, request, channel }: GatewayCall, message: object) {
  const { signal } = request;
  const options = { metadata: metadataOf(request), signal };
  const response = await channel.unary(method, message, options);
  return { status: 200, headers: answeredType, body: toJson(method.response.name, response, ", ") };
}

type Requests = AsyncIterable<object> | Iterable<object>;

async function answerStream({ method, request, channel }: GatewayCall, requests: Requests) {
  const { signal } = request;
  const stream = channel.stream(method, { metadata: metadataOf(request), signal });
  const send = async () => {
    try {
      for await (const one of requests) stream.write(one);
    } catch {
      // Whatever came before it is still answered.
    }
    stream.end();
  };
  send();
  const responses = stream.responses[Symbol.asyncIterator]();
  // What fails before it began has an HTTP status of its own.
  const first = await responses.next();
  const line = (response: object) => `{"result":${toJson(method.response.name, response)}}\n`;
  async function* body() {
    try {
      for (let next = first; !next.done; next = await responses.next()) yield line(next.value);
    } catch (error) {
      const { code, details } = toRpcError(error);
      yield `{"error":${JSON.stringify({ code, message: details })}}\n`;
    }
  }
  return { status: 200, headers: answeredType, body: body() };
}

const statusOfCode: Readonly<Record<number, number>> = {
  [codes.OK]: 200,
  [codes.CANCELLED]: 499,
  [codes.UNKNOWN]: 500,
  [codes.INVALID_ARGUMENT]: 400,
  [codes.DEADLINE_EXCEEDED]: 504,
  [codes.NOT_FOUND]: 404,
  [codes.ALREADY_EXISTS]: 409,
  [codes.PERMISSION_DENIED]: 403,
  [codes.UNAUTHENTICATED]: 401,
  [codes.RESOURCE_EXHAUSTED]: 429,
  [codes.FAILED_PRECONDITION]: 400,
  [codes.ABORTED]: 409,
  [codes.OUT_OF_RANGE]: 400,
  [codes.UNIMPLEMENTED]: 501,
  [codes.INTERNAL]: 500,
  [codes.UNAVAILABLE]: 503,
  [codes.DATA_LOSS]: 500,
};

function failure(code: number, message: string): PlainResponse {
  const body = `{"code":${code}, "message":${JSON.stringify(message)}}`;
  return { status: statusOfCode[code] ?? 500, headers: jsonType, body };
}

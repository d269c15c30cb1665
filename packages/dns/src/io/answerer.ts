/**
 * One message in, one message out: decodes, resolves, asks elsewhere where it must, encodes.
 *
 * Source  CoreDNS core/dnsserver/server.go ServeDNS
 */
import type { Clock, Log } from "@nanokube/machinery";
import type { AnswerCache } from "../core/answer-cache.ts";
import { decodeQuery, takeAnswers } from "../core/decode.ts";
import { encodeRefusal, encodeResponse, tcpLimit, udpLimit } from "../core/encode.ts";
import {
  type DNSRecord,
  emptyResponse,
  MalformedQuery,
  type Query,
  type Response,
  rcodes,
} from "../core/message.ts";
import type { Metrics } from "../core/metrics.ts";
import { questionBytes } from "../core/question.ts";
import { type ResolveOptions, resolve } from "../core/resolve.ts";
import type { ClusterView } from "../core/view.ts";
import type { Forwarder } from "./forwarder.ts";
import type { Handler, Protocol } from "./listeners.ts";

export interface AnswererOptions {
  view: ClusterView;
  forwarder: Forwarder;
  cache: AnswerCache;
  metrics: Metrics;
  clock: Clock;
  log: Log;
  resolve(): ResolveOptions;
  /**
   * A name that only this server itself asks for: seeing it come back means that forwarding goes in
   * a circle.
   */
  onQuestion(query: Query): void;
}

export function createAnswerer(options: AnswererOptions): Handler {
  const { metrics, clock, log } = options;
  return async (message, protocol) => {
    const startMs = clock.monotonic();
    let query: Query;
    try {
      query = decodeQuery(message);
    } catch (error) {
      const reply = error instanceof MalformedQuery ? error.reply : undefined;
      if (reply === undefined) return undefined;
      metrics.response(reply.rcode, 0);
      return encodeRefusal(reply);
    }
    metrics.request(protocol, query.question.type);
    options.onQuestion(query);
    const answer = await answerQuery(query, message, protocol, options).catch((error: unknown) => {
      log.warn({ name: query.question.labels.join("."), err: error }, "query not answered");
      return encode(query, emptyResponse(rcodes.SERVFAIL), protocol);
    });
    metrics.response(answer[3]! & 15, (clock.monotonic() - startMs) / 1000);
    return answer;
  };
}

const encode = (query: Query, response: Response, protocol: Protocol): Uint8Array =>
  encodeResponse(query, response, protocol === "udp" ? udpLimit(query) : tcpLimit);

async function answerQuery(
  query: Query,
  message: Uint8Array,
  protocol: Protocol,
  options: AnswererOptions,
): Promise<Uint8Array> {
  const resolution = resolve(query, options.view, options.resolve());
  if (resolution.kind === "answer") return encode(query, resolution.response, protocol);
  if (resolution.kind === "follow") {
    const { response, target } = resolution;
    const { answers, truncated } = await followAlias(query, target, options);
    const all = { ...response, truncated, answers: [...response.answers, ...answers] };
    return encode(query, all, protocol);
  }
  return await passOn(query, message, protocol, options);
}

/** An alias whose target cannot be asked for is still told: the client may know better. */
async function followAlias(query: Query, target: string, options: AnswererOptions) {
  const nothing = { answers: [] as DNSRecord[], truncated: false };
  if (!options.forwarder.hasUpstreams) return nothing;
  const { type } = query.question;
  const message = questionBytes(target, type);
  try {
    const asked = decodeQuery(message);
    const known = options.cache.get(asked, options.clock.monotonic());
    const answer = known ?? (await options.forwarder.ask(message, "udp"));
    if (known === undefined) options.cache.put(asked, answer, options.clock.monotonic());
    return { answers: takeAnswers(answer), truncated: (answer[2]! & 2) !== 0 };
  } catch (error) {
    options.log.debug({ target, err: error }, "alias not followed");
    return nothing;
  }
}

async function passOn(
  query: Query,
  message: Uint8Array,
  protocol: Protocol,
  options: AnswererOptions,
): Promise<Uint8Array> {
  const { cache, forwarder, clock, metrics } = options;
  if (!forwarder.hasUpstreams) return encode(query, emptyResponse(rcodes.SERVFAIL), protocol);
  const known = cache.get(query, clock.monotonic());
  if (known !== undefined) {
    metrics.cacheHits++;
    return fit(known, query, protocol);
  }
  metrics.cacheMisses++;
  const answer = await forwarder.ask(message, protocol);
  cache.put(query, answer, clock.monotonic());
  return fit(answer, query, protocol);
}

/** An answer that came by TCP may not fit a UDP client: it is told to come by TCP, too. */
function fit(answer: Uint8Array, query: Query, protocol: Protocol): Uint8Array {
  if (protocol === "tcp" || answer.length <= udpLimit(query)) return answer;
  return encode(query, { ...emptyResponse(rcodes.NOERROR), truncated: true }, protocol);
}

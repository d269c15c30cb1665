/**
 * Services: what can be called, by path, and what goes in and out.
 *
 * The generated tables build these; servers take handlers for them, clients call through them.
 */
import type { MessageCodec } from "./codec.ts";

export interface MethodInfo<I, O, C extends boolean = boolean, S extends boolean = boolean> {
  /** `/package.Service/Method`, the HTTP/2 :path. */
  readonly path: string;
  readonly request: MessageCodec<I>;
  readonly response: MessageCodec<O>;
  readonly clientStreaming: C;
  readonly serverStreaming: S;
}

export type Methods = Readonly<Record<string, MethodInfo<unknown, unknown>>>;

export interface ServiceInfo<M extends Methods = Methods> {
  /** `package.Service` */
  readonly name: string;
  readonly methods: M;
}

export type Unary<I, O> = MethodInfo<I, O, false, false>;
export type ServerStreaming<I, O> = MethodInfo<I, O, false, true>;
export type ClientStreaming<I, O> = MethodInfo<I, O, true, false>;
export type Bidi<I, O> = MethodInfo<I, O, true, true>;

export function unary<I, O>(
  path: string,
  request: MessageCodec<I>,
  response: MessageCodec<O>,
): Unary<I, O> {
  return { path, request, response, clientStreaming: false, serverStreaming: false };
}

export function serverStream<I, O>(
  path: string,
  request: MessageCodec<I>,
  response: MessageCodec<O>,
): ServerStreaming<I, O> {
  return { path, request, response, clientStreaming: false, serverStreaming: true };
}

export function clientStream<I, O>(
  path: string,
  request: MessageCodec<I>,
  response: MessageCodec<O>,
): ClientStreaming<I, O> {
  return { path, request, response, clientStreaming: true, serverStreaming: false };
}

export function bidi<I, O>(
  path: string,
  request: MessageCodec<I>,
  response: MessageCodec<O>,
): Bidi<I, O> {
  return { path, request, response, clientStreaming: true, serverStreaming: true };
}

export function service<M extends Methods>(name: string, methods: M): ServiceInfo<M> {
  return { name, methods };
}

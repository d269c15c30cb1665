/**
 * Which handler answers a path?
 *
 * Errors  RpcError UNIMPLEMENTED in grpc-go's words, for unknown services and methods alike
 * Source  google.golang.org/grpc server.go handleStream
 */
import type { Handlers } from "./call.ts";
import type { MethodInfo, ServiceInfo } from "./service.ts";
import { codes, RpcError } from "./status.ts";

export type AnyHandler = (...args: never[]) => unknown;

export interface Route {
  readonly method: MethodInfo<unknown, unknown>;
  readonly handler: AnyHandler;
}

export class Router {
  readonly #routes = new Map<string, Route>();
  readonly #services = new Set<string>();

  add<S extends ServiceInfo>(service: S, handlers: Handlers<S>): void {
    this.#services.add(service.name);
    for (const [name, method] of Object.entries(service.methods)) {
      const handler = (handlers as Record<string, AnyHandler | undefined>)[name];
      // Handlers that are methods of an object keep their `this`.
      if (handler !== undefined) {
        this.#routes.set(method.path, { method, handler: handler.bind(handlers) });
      }
    }
  }

  get services(): string[] {
    return [...this.#services];
  }

  find(path: string): Route {
    const route = this.#routes.get(path);
    if (route !== undefined) return route;
    throw new RpcError(codes.UNIMPLEMENTED, this.#whyNot(path));
  }

  #whyNot(path: string): string {
    const tail = path.startsWith("/") ? path.slice(1) : path;
    const slash = tail.lastIndexOf("/");
    if (slash < 0) return `malformed method name: ${JSON.stringify(path)}`;
    const service = tail.slice(0, slash);
    const method = tail.slice(slash + 1);
    if (!this.#services.has(service)) return `unknown service ${service}`;
    return `unknown method ${method} for service ${service}`;
  }
}

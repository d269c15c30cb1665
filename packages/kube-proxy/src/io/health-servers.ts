/**
 * The proxy's HTTP doors: /healthz and /livez on one port, a port for each Service with
 * healthCheckNodePort, metrics.
 *
 * Source  kubernetes pkg/proxy/healthcheck/{proxy_health,service_health}.go
 */
import { createServer, type RequestListener } from "node:http";
import type { Log } from "@nanokube/machinery";
import { type ListeningServer, serveHTTP } from "@nanokube/machinery/serve-http";
import { type HealthAnswer, type ServiceHealth, serviceHealthAnswer } from "../core/health.ts";

export interface Endpoint {
  host: string;
  port: number;
}

export interface HealthHandlers {
  healthz(): HealthAnswer;
  livez(): HealthAnswer;
}

export const healthListener =
  (handlers: HealthHandlers): RequestListener =>
  (request, response) => {
    const path = (request.url ?? "").split("?")[0];
    if (path !== "/healthz" && path !== "/livez") {
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" });
      response.end("404 page not found\n");
      return;
    }
    const { status, body } = path === "/healthz" ? handlers.healthz() : handlers.livez();
    const headers = { "content-type": "application/json", "x-content-type-options": "nosniff" };
    response.writeHead(status, headers).end(body);
  };

/** /metrics, and /proxyMode as upstream answers it. */
export const metricsListener =
  (text: () => string): RequestListener =>
  (request, response) => {
    const answers: Record<string, () => string> = {
      "/metrics": text,
      "/proxyMode": () => "iptables",
      "/healthz": () => "ok",
    };
    const answer = answers[(request.url ?? "").split("?")[0]!];
    const headers = { "content-type": "text/plain; charset=utf-8" };
    response.writeHead(answer === undefined ? 404 : 200, headers);
    response.end(answer?.() ?? "404 page not found\n");
  };

/** One server for each Service that asks for it; `sync` opens, closes and updates. */
export class ServiceHealthServers {
  readonly #servers = new Map<string, { health: ServiceHealth; server: ListeningServer }>();
  readonly #proxyHealthy: () => boolean;
  readonly #log: Log;

  constructor(proxyHealthy: () => boolean, log: Log) {
    this.#proxyHealthy = proxyHealthy;
    this.#log = log;
  }

  async sync(wanted: ReadonlyMap<string, ServiceHealth>): Promise<void> {
    for (const [key, open] of this.#servers) {
      const now = wanted.get(key);
      if (now !== undefined && now.port === open.health.port) open.health = now;
      else {
        this.#servers.delete(key);
        await open.server.close();
      }
    }
    for (const [key, health] of wanted) if (!this.#servers.has(key)) await this.#open(key, health);
  }

  async close(): Promise<void> {
    await this.sync(new Map());
  }

  async #open(key: string, health: ServiceHealth): Promise<void> {
    try {
      const asked = createServer((_, response) => {
        const now = this.#servers.get(key)?.health ?? health;
        const { status, body } = serviceHealthAnswer(now, this.#proxyHealthy());
        response.writeHead(status, {
          "content-type": "application/json",
          "x-content-type-options": "nosniff",
          "x-load-balancing-endpoint-weight": String(now.localEndpoints),
        });
        response.end(body);
      });
      const server = await serveHTTP(asked, { host: "0.0.0.0", port: health.port });
      this.#servers.set(key, { health, server });
    } catch (error) {
      this.#log.error(
        { service: key, port: health.port, err: error },
        "Failed to start healthcheck",
      );
    }
  }
}

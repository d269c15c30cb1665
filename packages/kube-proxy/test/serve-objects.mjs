/** An API server of fixed objects, for upstream's kube-proxy: lists what the file holds, and its watches stay silent. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const [, , file, port] = process.argv;
const objects = JSON.parse(readFileSync(file, "utf8"));
const json = { "content-type": "application/json" };

createServer((request, response) => {
  const url = new URL(request.url, "http://x");
  const path = url.pathname.split("/").slice(1);
  const apiVersion = path[0] === "api" ? path[1] : path.slice(1, 3).join("/");
  const [plural, name] = path.slice(path[0] === "api" ? 2 : 3);
  if (url.searchParams.has("sendInitialEvents")) {
    const status = {
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      reason: "Invalid",
      code: 422,
    };
    response.writeHead(422, json).end(JSON.stringify(status));
  } else if (url.searchParams.has("watch")) {
    response.writeHead(200, json).flushHeaders();
  } else if (request.method !== "GET") {
    response.writeHead(201, json).end("{}");
  } else if (name !== undefined) {
    const found = objects[plural]?.find((o) => o.metadata.name === name);
    response.writeHead(found ? 200 : 404, json).end(JSON.stringify(found ?? {}));
  } else {
    const items = objects[plural] ?? [];
    const kinds = {
      endpointslices: "EndpointSliceList",
      services: "ServiceList",
      nodes: "NodeList",
      servicecidrs: "ServiceCIDRList",
    };
    const kind = kinds[plural] ?? "List";
    response
      .writeHead(200, json)
      .end(JSON.stringify({ kind, apiVersion, metadata: { resourceVersion: "1000" }, items }));
  }
}).listen(Number(port), "127.0.0.1", () => process.stdout.write("ready\n"));

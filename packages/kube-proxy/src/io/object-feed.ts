/**
 * The three watches of the proxy, and nothing told before all three have their first list.
 *
 * Half a list would look like deleted Services. What came in the lists is told once, in one go;
 * then every change.
 *
 * Source  kubernetes pkg/proxy/config/config.go, cmd/kube-proxy/app/server.go
 */
import type { Node, Service } from "@nanokube/api/core/v1";
import type { EndpointSlice } from "@nanokube/api/discovery/v1";
import { type Client, createInformer, endpointSlices, nodes, services } from "@nanokube/client";
import type { Clock, Log } from "@nanokube/machinery";
import { sliceSelector } from "../core/endpoints.ts";
import { serviceSelector } from "../core/service-port.ts";

export interface ObjectFeedOptions {
  client: Client;
  clock: Clock;
  log: Log;
  nodeName: string;
  signal: AbortSignal;
  /** The first lists are complete; everything in them is told right after. */
  onListed(): Promise<void>;
  onService(service: Service, present: boolean): void;
  onSlice(slice: EndpointSlice, present: boolean): void;
  onNode(node: Node | undefined): void;
}

export interface ObjectFeed {
  node(): Node | undefined;
  resourceVersion(serviceKey: string): string;
  /** False when the signal came first. */
  listed: Promise<boolean>;
}

export function startObjectFeed(options: ObjectFeedOptions): ObjectFeed {
  const { client, clock, log, nodeName, signal } = options;
  const common = { client, clock, log };
  const byName = `metadata.name=${nodeName}`;
  const ofNode = createInformer({ ...common, resource: nodes, fieldSelector: byName });
  const ofServices = createInformer({
    ...common,
    resource: services,
    labelSelector: serviceSelector,
  });
  const ofSlices = createInformer({
    ...common,
    resource: endpointSlices,
    labelSelector: sliceSelector,
  });
  let told = false;
  const later = (tell: () => void) => {
    if (told) tell();
  };
  ofServices.onEvent({
    add: (service) => later(() => options.onService(service, true)),
    update: (_, service) => later(() => options.onService(service, true)),
    delete: (service) => later(() => options.onService(service, false)),
  });
  ofSlices.onEvent({
    add: (slice) => later(() => options.onSlice(slice, true)),
    update: (_, slice) => later(() => options.onSlice(slice, true)),
    delete: (slice) => later(() => options.onSlice(slice, false)),
  });
  ofNode.onEvent({
    add: (node) => later(() => options.onNode(node)),
    update: (_, node) => later(() => options.onNode(node)),
    delete: () => later(() => options.onNode(undefined)),
  });
  const informers = [ofNode, ofServices, ofSlices];
  for (const informer of informers) informer.start(signal);
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const tellAll = async (): Promise<boolean> => {
    await Promise.race([Promise.all(informers.map((i) => i.waitForSync())), aborted]);
    if (signal.aborted) return false;
    await options.onListed();
    told = true;
    options.onNode(ofNode.indexer.list()[0]);
    for (const service of ofServices.indexer.list()) options.onService(service, true);
    for (const slice of ofSlices.indexer.list()) options.onSlice(slice, true);
    return true;
  };
  return {
    node: () => ofNode.indexer.list()[0],
    resourceVersion: (key) => ofServices.indexer.getByKey(key)?.metadata?.resourceVersion ?? "",
    listed: tellAll(),
  };
}

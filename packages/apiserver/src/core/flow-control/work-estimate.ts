/**
 * How many seats does a request take? A list as many as it has bytes to hold in memory; a change
 * one, and some for a moment longer when many watch it.
 *
 * Units   a seat is 100 kB of a list, or 10 watchers whom a change concerns for 5 ms
 * Source  apiserver pkg/util/flowcontrol/request/{config,width,list_work_estimator,
 *         mutating_work_estimator}.go
 */
import type { RequestInfo } from "../request-info.ts";

export interface WorkEstimate {
  initialSeats: number;
  /** Held for `additionalMs` after the answer. */
  finalSeats: number;
  additionalMs: number;
}

/** What there is of a resource. */
export interface ResourceLoad {
  objects: number;
  averageBytes: number;
  /** Watchers who may be told of a change here. */
  watchersOf(info: RequestInfo): number;
}

const bytesPerSeat = 100_000;
const listSeatsMax = 100;
/** Of a list that is streamed from the cache. */
const cachedBytesMax = 1_000_000;
const objectBytesMax = 1_500_000;
const watchersPerSeat = 10;
const mutatingSeatsMax = 10;
const eventMs = 5;
const maxPart = 0.15;

const one: WorkEstimate = { initialSeats: 1, finalSeats: 0, additionalMs: 0 };
const mutating = new Set(["create", "update", "patch", "delete"]);

/** No request of a level takes more: a part of its seats, and a queue's fair part of them. */
export function seatsMaxOf(seats: number, handSize: number): number {
  return Math.max(1, Math.min(Math.ceil(seats * maxPart), Math.floor(seats / handSize)));
}

export function estimateWork(
  info: RequestInfo,
  query: URLSearchParams,
  load: ResourceLoad | undefined,
  seatsMax: number,
): WorkEstimate {
  if (load === undefined) return one;
  if (info.verb === "list") return seated(listSeats(info, query, load), seatsMax);
  if (info.verb === "watch") {
    return beginsWithList(query) ? seated(listSeats(info, query, load), seatsMax) : one;
  }
  return mutating.has(info.verb) ? mutatingWork(info, load, seatsMax) : one;
}

function seated(seats: number, seatsMax: number): WorkEstimate {
  if (seats <= 1) return one;
  const limit = Math.min(seatsMax, listSeatsMax);
  return { initialSeats: Math.min(seats, limit), finalSeats: 0, additionalMs: 0 };
}

function beginsWithList(query: URLSearchParams): boolean {
  const revision = query.get("resourceVersion") ?? "";
  return query.get("sendInitialEvents") === "true" || revision === "" || revision === "0";
}

function listSeats(info: RequestInfo, query: URLSearchParams, load: ResourceLoad): number {
  const { objects } = load;
  const bytes = load.averageBytes <= 0 && objects !== 0 ? objectBytesMax : load.averageBytes;
  const limit = Number(query.get("limit") ?? 0);
  const limited = limit > 0 && limit < objects ? limit : objects;
  const isCached = info.verb === "watch" || !readsTheStore(query);
  let held = limited;
  if (info.name !== "") held = 1;
  else if (!isCached && (query.has("fieldSelector") || query.has("labelSelector"))) {
    held = Math.max(limited, Math.floor(objects / 2));
  }
  const memory = isCached ? Math.min(held * bytes, cachedBytesMax) : held * bytes;
  return Math.ceil(memory / bytesPerSeat);
}

/** A page that goes on, a list of an exact revision, and a first page of a revision. */
function readsTheStore(query: URLSearchParams): boolean {
  const match = query.get("resourceVersionMatch") ?? "";
  if (match !== "") return match === "Exact";
  if ((query.get("continue") ?? "") !== "") return true;
  const revision = query.get("resourceVersion") ?? "";
  return Number(query.get("limit") ?? 0) > 0 && revision !== "" && revision !== "0";
}

function mutatingWork(info: RequestInfo, load: ResourceLoad, seatsMax: number): WorkEstimate {
  if (info.resource === "serviceaccounts" && info.subresource === "token") return one;
  const watchers = load.watchersOf(info);
  if (watchers < watchersPerSeat) return one;
  const wanted = Math.ceil(watchers / watchersPerSeat);
  const finalSeats = Math.min(wanted, seatsMax, mutatingSeatsMax);
  return { initialSeats: 1, finalSeats, additionalMs: (wanted * eventMs) / finalSeats };
}

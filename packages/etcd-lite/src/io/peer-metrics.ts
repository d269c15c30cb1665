/**
 * What goes to and comes from each other member, for /metrics.
 *
 * Units   bytes as they are on the stream between members, of a protocol of our own
 * Source  etcd v3.6 server/etcdserver/api/rafthttp/metrics.go
 */
import { doubling, Histogram } from "../core/histogram.ts";
import { described, histogramLines } from "./metrics.ts";

/** Nothing is shown of what never was. */
export class PeerCounters {
  sentBytes = 0;
  receivedBytes = 0;
  sentFailures = 0;
  receivedFailures = 0;
  disconnects = 0;
  isActive: boolean | undefined;
  snapshotsSent = 0;
  snapshotsSending: number | undefined;
  snapshotSendFailures = 0;
  snapshotsReceived = 0;
  snapshotsReceiving: number | undefined;
  snapshotReceiveFailures = 0;
  roundTrip: Histogram | undefined;
  snapshotSend: Histogram | undefined;
  snapshotReceive: Histogram | undefined;

  answered(tookMs: number): void {
    this.roundTrip ??= new Histogram(doubling(0.0001, 16));
    this.roundTrip.observe(tookMs / 1000);
  }

  snapshotSent(isDone: boolean, tookMs: number): void {
    this.snapshotsSending!--;
    if (!isDone) {
      this.sentFailures++;
      this.snapshotSendFailures++;
      return;
    }
    this.snapshotsSent++;
    this.snapshotSend ??= new Histogram(doubling(0.1, 10));
    this.snapshotSend.observe(tookMs / 1000);
  }

  snapshotReceived(isDone: boolean, tookMs: number): void {
    this.snapshotsReceiving!--;
    if (!isDone) {
      this.snapshotReceiveFailures++;
      return;
    }
    this.snapshotsReceived++;
    this.snapshotReceive ??= new Histogram(doubling(0.1, 10));
    this.snapshotReceive.observe(tookMs / 1000);
  }
}

type Pick = (peer: PeerCounters) => number | undefined;
type Way = "To" | "From" | "Remote";
type Series = readonly [type: "gauge" | "counter", help: string, way: Way, pick: Pick];

const orNone = (count: number) => (count === 0 ? undefined : count);
const total = (what: string) => `Total number of ${what}`;

const series: Readonly<Record<string, Series>> = {
  active_peers: [
    "gauge",
    "The current number of active peer connections.",
    "Remote",
    ({ isActive }) => (isActive === undefined ? undefined : Number(isActive)),
  ],
  disconnected_peers_total: [
    "counter",
    "The total number of disconnected peers.",
    "Remote",
    (peer) => orNone(peer.disconnects),
  ],
  peer_sent_bytes_total: [
    "counter",
    "The total number of bytes sent to peers.",
    "To",
    (peer) => orNone(peer.sentBytes),
  ],
  peer_received_bytes_total: [
    "counter",
    "The total number of bytes received from peers.",
    "From",
    (peer) => orNone(peer.receivedBytes),
  ],
  peer_sent_failures_total: [
    "counter",
    "The total number of send failures from peers.",
    "To",
    (peer) => orNone(peer.sentFailures),
  ],
  peer_received_failures_total: [
    "counter",
    "The total number of receive failures from peers.",
    "From",
    (peer) => orNone(peer.receivedFailures),
  ],
  snapshot_send_success: [
    "counter",
    total("successful snapshot sends"),
    "To",
    (peer) => orNone(peer.snapshotsSent),
  ],
  snapshot_send_inflights_total: [
    "gauge",
    total("inflight snapshot sends"),
    "To",
    (peer) => peer.snapshotsSending,
  ],
  snapshot_send_failures: [
    "counter",
    total("snapshot send failures"),
    "To",
    (peer) => orNone(peer.snapshotSendFailures),
  ],
  snapshot_receive_success: [
    "counter",
    total("successful snapshot receives"),
    "From",
    (peer) => orNone(peer.snapshotsReceived),
  ],
  snapshot_receive_inflights_total: [
    "gauge",
    total("inflight snapshot receives"),
    "From",
    (peer) => peer.snapshotsReceiving,
  ],
  snapshot_receive_failures: [
    "counter",
    total("snapshot receive failures"),
    "From",
    (peer) => orNone(peer.snapshotReceiveFailures),
  ],
};

type PickHistogram = (peer: PeerCounters) => Histogram | undefined;

const histograms: Readonly<Record<string, readonly [help: string, way: Way, pick: PickHistogram]>> =
  {
    peer_round_trip_time_seconds: [
      "Round-Trip-Time histogram between peers",
      "To",
      (peer) => peer.roundTrip,
    ],
    snapshot_send_total_duration_seconds: [
      "Total latency distributions of v3 snapshot sends",
      "To",
      (peer) => peer.snapshotSend,
    ],
    snapshot_receive_total_duration_seconds: [
      "Total latency distributions of v3 snapshot receives",
      "From",
      (peer) => peer.snapshotReceive,
    ],
  };

export class PeerMetrics {
  readonly #peers = new Map<bigint, PeerCounters>();

  of(id: bigint): PeerCounters {
    let found = this.#peers.get(id);
    if (found === undefined) {
      found = new PeerCounters();
      this.#peers.set(id, found);
    }
    return found;
  }

  /** `local` is this member. */
  *lines(local: bigint): Iterable<string> {
    const labels = (way: Way, id: bigint) => {
      const own = way === "Remote" ? `Local="${local.toString(16)}",` : "";
      return `${own}${way}="${id.toString(16)}"`;
    };
    for (const [name, [type, help, way, pick]] of Object.entries(series)) {
      const values = [...this.#peers].flatMap(([id, peer]) => {
        const value = pick(peer);
        return value === undefined ? [] : [[`{${labels(way, id)}}`, value] as const];
      });
      if (values.length > 0) yield* described({ name: `etcd_network_${name}`, help, type }, values);
    }
    for (const [name, [help, way, pick]] of Object.entries(histograms)) {
      const each = [...this.#peers].flatMap(([id, peer]) => {
        const histogram = pick(peer);
        return histogram === undefined ? [] : [[labels(way, id), histogram] as const];
      });
      yield* histogramLines(`etcd_network_${name}`, help, each);
    }
  }
}

/**
 * Streams and frames that are wrong, on etcd-lite and on etcd: broken messages between right ones,
 * streams that are half closed, very many of them, HTTP/2 that breaks its rules. The same answers,
 * and both go on serving. FUZZ_CASES makes it longer, ETCD_SEED another.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { createSeededRandom } from "@nanokube/machinery";
import { etcd, type Init } from "@nanokube/rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { breakOne, framed } from "../src/etcd/broken-message.ts";
import { callHeaders, preface, rawFrame, sayRaw, settingsFrame } from "../src/etcd/raw-http2.ts";
import { type EtcdInstance, etcdSubjects } from "../src/subjects/etcd.ts";

const [, lite, upstream] = etcdSubjects();
const skip = upstream!.skip;
const cases = Number(process.env["FUZZ_CASES"] ?? 200);
const seed = Number(process.env["ETCD_SEED"] ?? 1);
const b = (text: string) => Buffer.from(text);

interface Codec<T> {
  decode(bytes: Uint8Array): T;
}

interface Talk<T> {
  readonly responses: T[];
  readonly status: unknown;
  readonly message: string;
}

/**
 * Says all of `bodies` on one stream, and listens until it ends or the answer to the last came.
 * Node's client now and then loses what it was told when both sides end a stream at once: then it is
 * asked again.
 */
async function talk<T>(subject: EtcdInstance, path: string, said: Said<T>): Promise<Talk<T>> {
  for (;;) {
    const session = connect(`http://${subject.endpoint}`);
    session.on("error", () => {});
    const heard = await talkOn(session, path, said);
    session.destroy();
    if (heard.status !== undefined || heard.responses.some((one) => said.isLast(one))) return heard;
  }
}

interface Said<T> {
  readonly bodies: readonly Buffer[];
  readonly codec: Codec<T>;
  isLast(response: T): boolean;
  /** The client says that this was all. */
  readonly ends?: boolean;
}

function talkOn<T>(session: ClientHttp2Session, path: string, said: Said<T>): Promise<Talk<T>> {
  return new Promise((resolve) => {
    const fixed = { ":method": "POST", ":path": path, te: "trailers" };
    const stream = session.request({ ...fixed, "content-type": "application/grpc" });
    const responses: T[] = [];
    let seen: Record<string, unknown> = {};
    const note = (headers: object) => {
      seen = { ...seen, ...headers };
    };
    stream.on("response", note).on("trailers", note);
    stream.on("error", () => {});
    onMessages(stream, (payload) => {
      const response = said.codec.decode(payload);
      responses.push(response);
      if (said.isLast(response)) stream.close();
    });
    stream.on("close", () => {
      const message = decodeURIComponent(String(seen["grpc-message"] ?? ""));
      resolve({ responses, status: seen["grpc-status"], message });
    });
    stream.write(Buffer.concat([...said.bodies]));
    if (said.ends === true) stream.end();
  });
}

function onMessages(stream: ClientHttp2Stream, take: (payload: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      take(rest.subarray(5, end));
      rest = rest.subarray(end);
    }
  });
}

const watchRequests: readonly Init<etcd.WatchRequest>[] = [
  { createRequest: { key: b("w/a") } },
  { createRequest: { key: b("w/"), rangeEnd: b("w0"), watchId: 7, prevKv: true, filters: [1] } },
  { createRequest: { key: b("w/a"), startRevision: 2, fragment: true, progressNotify: true } },
  { createRequest: { key: b("z"), rangeEnd: b("a") } },
  { cancelRequest: { watchId: 7 } },
  { cancelRequest: { watchId: 0 } },
  { progressRequest: {} },
];
const encodeWatch = (request: Init<etcd.WatchRequest>) =>
  Buffer.from(etcd.WatchRequest.encode(request));
const lastWatch = framed(encodeWatch({ createRequest: { key: b("last"), watchId: 987_654 } }));

/**
 * Events and progress come when they come: what is asked for is answered in order. How much of that
 * comes before a stream fails, etcd leaves to chance.
 */
function watchAnswers({ responses, status, message }: Talk<etcd.WatchResponse>): unknown {
  if (status !== undefined) return { status, message: comparable(message) };
  return {
    answers: responses
      .filter(({ created, canceled, compactRevision }) => (created || canceled) && !compactRevision)
      .map(({ watchId, created, canceled, cancelReason }) => [
        watchId,
        created,
        canceled,
        cancelReason,
      ]),
  };
}

/** gogo-proto's texts name fields as Go does; what is wrong is what counts. */
const comparable = (message: string) =>
  message.includes("unmarshal") ? "cannot be read" : message;

const u32 = (...numbers: number[]) =>
  Buffer.concat(numbers.map((n) => Buffer.from([n >>> 24, n >>> 16, n >>> 8, n])));
const rangeBody = framed(Buffer.from(etcd.RangeRequest.encode({ key: b("a") })));
const rangeHeaders = callHeaders("/etcdserverpb.KV/Range");
const head = (stream: number, flags = 4, payload = rangeHeaders) =>
  rawFrame({ type: 1, flags, stream, payload });
const call = (stream: number) =>
  Buffer.concat([head(stream), rawFrame({ type: 0, flags: 1, stream, payload: rangeBody })]);
const settings = (id: number, value: number) =>
  rawFrame({ type: 4, payload: Buffer.concat([Buffer.from([0, id]), u32(value)]) });

/** Where etcd's gRPC hangs up, the rules name an error that is told; it overlooks some of them. */
const frames: readonly (readonly [what: string, bytes: Buffer, mine: string, theirs: string])[] = [
  ["nothing wrong", Buffer.alloc(0), "answers", "answers"],
  ["DATA on stream 0", rawFrame({ type: 0, payload: rangeBody }), "ends 1", "ends"],
  ["DATA of nothing", rawFrame({ type: 0, stream: 5, payload: rangeBody }), "ends 1", "answers"],
  ["HEADERS on stream 0", head(0), "ends 1", "ends"],
  ["HEADERS on stream 2", head(2), "ends 1", "ends 1"],
  ["PRIORITY on stream 0", rawFrame({ type: 2, payload: Buffer.alloc(5) }), "ends 1", "ends"],
  ["RST_STREAM on stream 0", rawFrame({ type: 3, payload: u32(8) }), "ends 1", "ends"],
  ["RST_STREAM of nothing", rawFrame({ type: 3, stream: 1, payload: u32(8) }), "ends 1", "answers"],
  ["RST_STREAM cut", rawFrame({ type: 3, stream: 1, payload: Buffer.alloc(3) }), "ends 6", "ends"],
  ["SETTINGS of five bytes", rawFrame({ type: 4, payload: Buffer.alloc(5) }), "ends 6", "ends"],
  ["SETTINGS on a stream", rawFrame({ type: 4, stream: 1 }), "ends 1", "ends"],
  ["a window of 2^31", settings(4, 2 ** 31), "ends 3", "ends"],
  ["an unknown setting", settings(77, 2), "answers", "answers"],
  [
    "PUSH_PROMISE",
    rawFrame({ type: 5, flags: 4, stream: 1, payload: u32(2) }),
    "ends 1",
    "answers",
  ],
  ["PING of seven bytes", rawFrame({ type: 6, payload: Buffer.alloc(7) }), "ends 6", "ends"],
  [
    "PING on a stream",
    rawFrame({ type: 6, stream: 1, payload: Buffer.alloc(8) }),
    "ends 1",
    "ends",
  ],
  ["GOAWAY", rawFrame({ type: 7, payload: u32(0, 0) }), "answers", "answers"],
  ["GOAWAY cut", rawFrame({ type: 7, payload: u32(0) }), "ends 6", "ends"],
  ["WINDOW_UPDATE of 0", rawFrame({ type: 8, payload: u32(0) }), "ends 1", "ends"],
  ["CONTINUATION of nothing", rawFrame({ type: 9, flags: 4, stream: 1 }), "ends 1", "ends"],
  ["a frame inside of headers", Buffer.concat([head(1, 0), settingsFrame]), "ends 1", "ends"],
  [
    "a frame of an unknown type",
    rawFrame({ type: 77, payload: Buffer.alloc(9) }),
    "answers",
    "answers",
  ],
  [
    "a frame of 20,000 bytes",
    rawFrame({ type: 0, stream: 1, payload: Buffer.alloc(20_000) }),
    "ends 6",
    "ends",
  ],
  [
    "a frame that says 16 MiB",
    rawFrame({ type: 0, stream: 1, length: 0xffffff }),
    "ends 6",
    "ends",
  ],
  ["headers that refer to nothing", head(1, 4, Buffer.from([0xff, 0xff, 0x7f])), "ends 9", "ends"],
  ["headers that end too soon", head(1, 4, Buffer.from([0, 5, 0x61])), "ends 9", "ends"],
  [
    "upper case",
    head(1, 5, callHeaders("/x", ["X-Upper", "1"])),
    "answers, resets 1",
    "answers, resets 1",
  ],
  [
    "a header of the connection",
    head(1, 5, callHeaders("/x", ["connection", "close"])),
    "answers, resets 1",
    "answers, resets 1",
  ],
  [
    "an unknown pseudo-header",
    head(1, 5, callHeaders("/x", [":new", "1"])),
    "answers, resets 1",
    "answers, resets 1",
  ],
  ["a stream that was there", Buffer.concat([call(1), call(1)]), "ends 5", "ends 1"],
  [
    "padding beyond the end",
    rawFrame({ type: 0, flags: 8, stream: 1, payload: b("\xff12") }),
    "ends 1",
    "ends",
  ],
];

/** What becomes of a right call that comes after the wrong bytes. */
async function outcomeOf({ endpoint }: EtcdInstance, bytes: Buffer): Promise<string> {
  const said = Buffer.concat([preface, settingsFrame, bytes, call(11)]);
  const { frames: heard, isClosed } = await sayRaw(endpoint, said, (all) =>
    all.some(({ stream, flags }) => stream === 11 && (flags & 1) !== 0),
  );
  const away = heard.find(({ type }) => type === 7);
  const reset = heard.find(({ type }) => type === 3);
  const code = away === undefined ? "" : ` ${away.payload.readUInt32BE(4)}`;
  if (isClosed) return `ends${code}`;
  return reset === undefined ? "answers" : `answers, resets ${reset.payload.readUInt32BE(0)}`;
}

describe.skipIf(skip !== undefined)(`wrong streams, beside etcd${skip ? `: ${skip}` : ""}`, () => {
  let open: EtcdInstance[] = [];
  beforeAll(async () => {
    open = await Promise.all([lite!.open(), upstream!.open()]);
    for (const { kv } of open) for (const key of ["w/a", "w/b"]) await kv.put({ key: b(key) });
  });
  afterAll(() => Promise.all(open.map((one) => one.close())));

  const both = async <T>(ask: (subject: EtcdInstance) => Promise<T>) => {
    const [mine, theirs] = await Promise.all(open.map(ask));
    return { mine: mine!, theirs: theirs! };
  };

  const watch = (bodies: readonly Buffer[]) =>
    both(async (subject) =>
      watchAnswers(
        await talk(subject, "/etcdserverpb.Watch/Watch", {
          bodies: [...bodies, lastWatch],
          codec: etcd.WatchResponse,
          isLast: ({ watchId }) => watchId === 987_654,
        }),
      ),
    );

  test(`${cases} broken messages between right ones, on streams of watches`, async () => {
    const random = createSeededRandom(seed);
    const pick = () =>
      encodeWatch(watchRequests[Math.floor(random.next() * watchRequests.length)]!);
    for (let i = 0; i < cases; i++) {
      const wrong = breakOne(pick(), () => random.next());
      const bodies = [pick(), wrong, pick()].map(framed);
      const { mine, theirs } = await watch(bodies);
      expect(mine, `seed ${seed}, case ${i}: ${Buffer.concat(bodies).toString("hex")}`).toEqual(
        theirs,
      );
    }
  }, 120_000);

  test(`${cases} broken messages between right ones, on streams of keep-alives`, async () => {
    const random = createSeededRandom(seed);
    await Promise.all(open.map(({ lease }) => lease.leaseGrant({ ID: 5n, TTL: 10_000 })));
    const encode = (ID: bigint) => Buffer.from(etcd.LeaseKeepAliveRequest.encode({ ID }));
    const pick = () => encode([5n, 6n, 2n ** 40n, -1n][Math.floor(random.next() * 4)]!);
    for (let i = 0; i < cases; i++) {
      const bodies = [pick(), breakOne(pick(), () => random.next()), pick(), encode(4242n)].map(
        framed,
      );
      const { mine, theirs } = await both(async (subject) => {
        const { responses, status, message } = await talk(
          subject,
          "/etcdserverpb.Lease/LeaseKeepAlive",
          {
            bodies,
            codec: etcd.LeaseKeepAliveResponse,
            isLast: ({ ID }) => ID === 4242n,
          },
        );
        return {
          answers: responses.map(({ ID, TTL }) => [ID, TTL]),
          status,
          message: comparable(message),
        };
      });
      expect(mine, `seed ${seed}, case ${i}: ${Buffer.concat(bodies).toString("hex")}`).toEqual(
        theirs,
      );
    }
  }, 120_000);

  test.each([
    ["a watch stream that goes on when the client has said all", [watchRequests[0]!]],
    ["a watch of nothing", [{}]],
    ["a message with all three requests", [Object.assign({}, ...watchRequests)]],
  ] as const)("%s", async (_what, requests) => {
    const bodies = requests.map((one) => framed(encodeWatch(one as Init<etcd.WatchRequest>)));
    const { mine, theirs } = await both(async (subject) =>
      watchAnswers(
        await talk(subject, "/etcdserverpb.Watch/Watch", {
          bodies: [...bodies, lastWatch],
          codec: etcd.WatchResponse,
          isLast: ({ watchId }) => watchId === 987_654,
          ends: true,
        }),
      ),
    );
    expect(mine).toEqual(theirs);
  });

  test.each([
    ["a stream of keep-alives that the client closes ends well", [], "0"],
    ["so does one that it closes before a message has begun", [b("\0\0\0\0")], "0"],
    ["one that it closes in the middle of a message fails", [b("\0\0\0\0\x05ab")], "13"],
  ])("%s", async (_what, bodies, status) => {
    const { mine, theirs } = await both((subject) =>
      talk(subject, "/etcdserverpb.Lease/LeaseKeepAlive", {
        bodies,
        codec: etcd.LeaseKeepAliveResponse,
        isLast: () => false,
        ends: true,
      }),
    );
    expect(mine).toEqual(theirs);
    expect(mine.status).toBe(status);
  });

  test("2,000 streams of watches on one connection come, and leave nothing", async () => {
    const gauges = async ({ endpoint }: EtcdInstance) => {
      const text = await (await fetch(`http://${endpoint}/metrics`)).text();
      return ["watch_stream", "watcher"].map((what) =>
        Number(new RegExp(`^etcd_debugging_mvcc_${what}_total (\\d+)`, "m").exec(text)![1]),
      );
    };
    const before = await both(gauges);
    await both(async (subject) => {
      const session = connect(`http://${subject.endpoint}`);
      session.on("error", (e) => {
        console.log("BROKEN", subject.endpoint, e);
      });
      const created = Array.from({ length: 2000 }, () => {
        const fixed = { ":method": "POST", ":path": "/etcdserverpb.Watch/Watch", te: "trailers" };
        const stream = session.request({ ...fixed, "content-type": "application/grpc" });
        stream.on("error", () => {});
        stream.write(lastWatch);
        return new Promise<void>((resolve) => stream.once("data", () => resolve()));
      });
      await Promise.all(created);
      expect((await gauges(subject))[0]).toBeGreaterThanOrEqual(2000);
      session.destroy();
    });
    for (const [i, one] of open.entries()) {
      const least = i === 0 ? before.mine : before.theirs;
      await expect.poll(() => gauges(one), { timeout: 20_000 }).toEqual(least);
    }
  }, 60_000);

  test.each(frames)("HTTP/2: %s", async (_what, bytes, mine, theirs) => {
    expect(await Promise.all(open.map((one) => outcomeOf(one, bytes)))).toEqual([mine, theirs]);
  });

  test("what failed is counted under the same labels", async () => {
    const { mine, theirs } = await both(async ({ endpoint, cluster }) => {
      await cluster.memberPromote({ ID: 1234n }).catch(() => {});
      const text = await (await fetch(`http://${endpoint}/metrics`)).text();
      const lines = text.split("\n").filter((line) => /^etcd_\w+_failures(_total)?\{/.test(line));
      return lines.map((line) => line.replace(/ \d+$/, "")).sort();
    });
    expect(mine).toEqual(theirs);
    expect(mine).toHaveLength(1);
  });

  test("beside all that, both serve", async () => {
    const { mine, theirs } = await both(
      async ({ kv }) => (await kv.range({ key: b("w/a") })).count,
    );
    expect([mine, theirs]).toEqual([1, 1]);
  });
});

describe.skipIf(skip !== undefined)("what one connection may ask for", () => {
  const flags = ["--max-concurrent-streams", "3", "--grpc-keepalive-min-time", "1h"];
  let open: EtcdInstance[] = [];
  beforeAll(async () => {
    open = await Promise.all([lite!.open(flags), upstream!.open(flags)]);
  });
  afterAll(() => Promise.all(open.map((one) => one.close())));

  test("more streams than --max-concurrent-streams are refused", async () => {
    const watchHead = (stream: number) => head(stream, 4, callHeaders("/etcdserverpb.Watch/Watch"));
    const said = [1, 3, 5, 7].map(watchHead);
    const heard = await Promise.all(
      open.map(async ({ endpoint }) => {
        const { frames: all } = await sayRaw(
          endpoint,
          Buffer.concat([preface, settingsFrame, ...said]),
          (seen) => seen.some(({ type }) => type === 3),
        );
        const offer = all.find(({ type, flags }) => type === 4 && flags === 0)!.payload;
        const ids = Array.from({ length: offer.length / 6 }, (_, i) =>
          offer.subarray(6 * i, 6 * i + 6),
        );
        const most = ids.find((pair) => pair.readUInt16BE(0) === 3)?.readUInt32BE(2);
        const reset = all.find(({ type }) => type === 3)!;
        return { most, stream: reset.stream, code: reset.payload.readUInt32BE(0) };
      }),
    );
    expect(heard).toEqual([
      { most: 3, stream: 7, code: 7 },
      { most: 3, stream: 7, code: 7 },
    ]);
  });

  test("who pings more often than --grpc-keepalive-min-time is sent away", async () => {
    const ping = rawFrame({ type: 6, payload: Buffer.alloc(8) });
    const said = Buffer.concat([preface, settingsFrame, ...Array.from({ length: 8 }, () => ping)]);
    const heard = await Promise.all(
      open.map(async ({ endpoint }) => {
        const { frames: all, isClosed } = await sayRaw(endpoint, said, () => false);
        const away = all.find(({ type }) => type === 7)!.payload;
        return { isClosed, code: away.readUInt32BE(4), text: away.subarray(8).toString() };
      }),
    );
    const wanted = { isClosed: true, code: 11, text: "too_many_pings" };
    expect(heard).toEqual([wanted, wanted]);
  });
});

/**
 * HTTP/2's numbers: frame types, flags, settings, error codes.
 *
 * Source  RFC 9113 sections 6, 7 and 11
 */

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

export const setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

export const http2Error = {
  noError: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  connect: 10,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
} as const;

export const frameHeaderBytes = 9;
export const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
export const windowMax = 2 ** 31 - 1;
export const defaultWindow = 65_535;
export const defaultFrameMax = 16_384;

/** The connection cannot go on: it ends with GOAWAY. */
export class Http2Fault extends Error {
  override readonly name = "Http2Fault";
  readonly code: number;

  constructor(code: number, text: string) {
    super(text);
    this.code = code;
  }
}

/** One stream cannot go on: it ends with RST_STREAM, the others do not notice. */
export class StreamFault extends Error {
  override readonly name = "StreamFault";
  readonly streamId: number;
  readonly code: number;

  constructor(streamId: number, code: number) {
    super(`stream ${streamId}: code ${code}`);
    this.streamId = streamId;
    this.code = code;
  }
}

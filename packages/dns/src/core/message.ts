/**
 * The parts of a DNS message as this server uses them.
 *
 * Names inside are labels joined by dots without the last one, "" is the root; a label that holds a
 * dot itself (legal on the wire, in no Kubernetes name) is kept apart as labels.
 *
 * Source  RFC 1035, RFC 2782 (SRV), RFC 3596 (AAAA), RFC 6891 (EDNS0)
 */

export const types = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

export const rcodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

export type Rcode = (typeof rcodes)[keyof typeof rcodes];

export const classIN = 1;
/** Any class will do for a question, but only the Internet's is served. */
export const isInternetClass = (value: number): boolean => value === classIN;
export const opcodeQuery = 0;

export interface Edns {
  udpSize: number;
  version: number;
  dnssecOK: boolean;
}

export interface Question {
  /** Lower case; each one byte text, so that any byte passes through. */
  labels: readonly string[];
  type: number;
  class: number;
}

export interface Query {
  id: number;
  opcode: number;
  recursionDesired: boolean;
  checkingDisabled: boolean;
  question: Question;
  edns: Edns | undefined;
  /** The question section as it came: answers repeat it in the client's own spelling. */
  questionBytes: Uint8Array;
}

interface RecordHead {
  name: string;
  ttl: number;
}

export type DNSRecord = RecordHead &
  (
    | { type: "A" | "AAAA"; address: string }
    | { type: "CNAME" | "PTR" | "NS"; target: string }
    | { type: "SRV"; priority: number; weight: number; port: number; target: string }
    | { type: "TXT"; texts: readonly string[] }
    | {
        type: "SOA";
        primary: string;
        mailbox: string;
        serial: number;
        refresh: number;
        retry: number;
        expire: number;
        minimum: number;
      }
    | RawRecord
  );

/** A record taken over from another server's answer; its data holds no compressed name. */
export interface RawRecord {
  type: "raw";
  typeNumber: number;
  data: Uint8Array;
}

export interface Response {
  rcode: Rcode;
  authoritative: boolean;
  truncated?: boolean;
  recursionAvailable?: boolean;
  answers: readonly DNSRecord[];
  authority: readonly DNSRecord[];
  additional: readonly DNSRecord[];
}

export const emptyResponse = (rcode: Rcode, authoritative = false): Response => ({
  rcode,
  authoritative,
  answers: [],
  authority: [],
  additional: [],
});

/** A query that cannot be answered as one: what to say, or undefined for silence. */
export class MalformedQuery extends Error {
  readonly reply: { id: number; opcode: number; rcode: Rcode } | undefined;

  constructor(message: string, reply?: { id: number; opcode: number; rcode: Rcode }) {
    super(message);
    this.name = "MalformedQuery";
    this.reply = reply;
  }
}

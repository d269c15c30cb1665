/**
 * HPACK's static table: the header fields that have a number from the start, 1 to 61.
 *
 * Shapes  one field a line, `name` or `name: value`
 * Source  RFC 7541 appendix A
 */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

const table = `:authority
:method: GET
:method: POST
:path: /
:path: /index.html
:scheme: http
:scheme: https
:status: 200
:status: 204
:status: 206
:status: 304
:status: 400
:status: 404
:status: 500
accept-charset
accept-encoding: gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`;

/** Index 1 is at place 0. */
export const staticFields: readonly HeaderField[] = table.split("\n").map((line) => {
  const at = line.indexOf(": ");
  return at < 0
    ? { name: line, value: "" }
    : { name: line.slice(0, at), value: line.slice(at + 2) };
});

/** What apimachinery's proxy.Transport 0.36.3 made of the same pages, from HOST, asked for as REQ. */
import { expect, test } from "vitest";
import { rewriteHTML, rewriteURL, throughProxy } from "./proxied-links.ts";

const prefix = "/api/v1/namespaces/n/pods/p/proxy";
const page = { prefix, host: "HOST", askedHost: "REQ" };

test.for([
  [
    `<pre><a href="/a">A</a> <a href="b">B</a> <A HREF='/C?x=1&amp;y#z'>C</A></pre>`,
    `<pre><a href="${prefix}/a">A</a> <a href="b">B</a> <a href="${prefix}/C?x=1&amp;y#z">C</A></pre>`,
  ],
  [
    `<!DOCTYPE html><!-- <a href="/no"> --><img src=/i.png usemap="#m"><script src="/s.js">var a = '<a href="/in">';</script><br/>&lt;a href="/text"&gt;`,
    `<!DOCTYPE html><!-- <a href="/no"> --><img src="${prefix}/i.png" usemap="#m"><script src="${prefix}/s.js">var a = '<a href="/in">';</script><br/>&lt;a href="/text"&gt;`,
  ],
  [
    `<form action="http://other/x"><input formaction="/f" disabled><a href="//HOST/h">h</a><a href="http://HOST/h2">h</a><a href="http://REQ/r/">r</a><a href="${prefix}/x">p</a></form>`,
    `<form action="http://other/x"><input formaction="${prefix}/f" disabled=""><a href="${prefix}/h">h</a><a href="${prefix}/h2">h</a><a href="http://REQ${prefix}/r/">r</a><a href="${prefix}/x">p</a></form>`,
  ],
  [
    `<a title="a&quot;b'<c>" href="/x/../y//z/">q</a><link href="/l" /><style>a{b:url(/c)}</style><a href="%zz">bad</a><textarea><a href="/t"></textarea>`,
    `<a title="a&#34;b&#39;&lt;c&gt;" href="${prefix}/y/z/">q</a><link href="${prefix}/l"/><style>a{b:url(/c)}</style><a href="%zz">bad</a><textarea><a href="/t"></textarea>`,
  ],
  ["no tag at all, 1 < 2", "no tag at all, 1 < 2"],
] as const)("%s", async ([html, seen]) => {
  expect(await rewriteHTML(html, page)).toBe(seen);
});

test.for([
  ["/there/", `${prefix}/there/`],
  ["there", "there"],
  ["http://HOST/q?a=b", `${prefix}/q?a=b`],
  ["https://elsewhere/q", "https://elsewhere/q"],
] as const)("a redirect to %s", ([location, seen]) => {
  expect(rewriteURL(location, page)).toBe(seen);
});

test("only pages are rewritten, whatever their coding", async () => {
  const answer = (type: string, encoding?: string) => ({
    status: 200,
    headers: {
      "content-type": type,
      ...(encoding === undefined ? {} : { "content-encoding": encoding }),
    },
    body: new TextEncoder().encode(`<a href="/a">`),
  });
  const text = async (given: ReturnType<typeof answer>) =>
    new TextDecoder().decode((await throughProxy(given, page)).body as Uint8Array);
  expect(await text(answer("text/plain"))).toBe(`<a href="/a">`);
  expect(await text(answer("text/html", "br"))).toBe(`<a href="/a">`);
  expect(await text(answer("text/html; charset=utf-8"))).toBe(`<a href="${prefix}/a">`);
});

/**
 * Writes corpus.json: a schema, an object and the expressions that upstream's CEL and ours are asked about.
 *
 *     node corpus.mjs && (cd ../../oracle/cel && go run . record < ../../test/cel/corpus.json > ../../test/cel/answers.jsonl)
 */
import { writeFileSync } from "node:fs";

const string = { type: "string" };
const integer = { type: "integer" };
const schema = {
  type: "object",
  required: ["count", "name"],
  properties: {
    apiVersion: string,
    kind: string,
    metadata: { type: "object", properties: { name: string, generateName: string } },
    name: { type: "string", maxLength: 10 },
    free: string,
    count: integer,
    size: { type: "number" },
    on: { type: "boolean" },
    maybe: { type: "string", nullable: true },
    tags: { type: "array", maxItems: 5, items: { type: "string", maxLength: 8 } },
    numbers: { type: "array", maxItems: 10, items: integer },
    doubles: { type: "array", items: { type: "number" } },
    set: { type: "array", "x-kubernetes-list-type": "set", items: string, maxItems: 3 },
    set2: { type: "array", "x-kubernetes-list-type": "set", items: string, maxItems: 3 },
    ports: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["port"],
      items: { type: "object", required: ["port"], properties: { port: integer, name: string } },
    },
    labels: {
      type: "object",
      additionalProperties: { type: "string", maxLength: 63 },
      maxProperties: 7,
    },
    anyPort: { "x-kubernetes-int-or-string": true },
    textPort: { "x-kubernetes-int-or-string": true },
    nested: {
      type: "object",
      properties: {
        inner: {
          type: "object",
          properties: {
            deep: string,
            list: { type: "array", items: { type: "array", items: integer } },
          },
        },
      },
    },
    when: { type: "string", format: "date-time" },
    day: { type: "string", format: "date" },
    lasts: { type: "string", format: "duration" },
    raw: { type: "string", format: "byte" },
    choice: { type: "string", enum: ["red", "green", "blue"] },
    "dash-ed": string,
    namespace: string,
    "a.b": integer,
    __under: string,
    absent: string,
    absentObject: { type: "object", properties: { x: integer } },
  },
};
const self = {
  apiVersion: "example.com/v1",
  kind: "Thing",
  metadata: { name: "one" },
  name: "hello",
  free: "the quick brown fox",
  count: 3,
  size: 2.5,
  on: true,
  maybe: "x",
  tags: ["a", "bb", "ccc"],
  numbers: [3, 1, 2],
  doubles: [1.5, 2.5],
  set: ["x", "y"],
  set2: ["y", "x"],
  ports: [{ port: 80, name: "http" }, { port: 443 }],
  labels: { app: "web", tier: "front" },
  anyPort: 8080,
  textPort: "http",
  nested: { inner: { deep: "value", list: [[1, 2], [3]] } },
  when: "2024-02-29T12:34:56.789Z",
  day: "2024-02-29",
  lasts: "1h30m",
  raw: "aGVsbG8=",
  choice: "red",
  "dash-ed": "d",
  namespace: "ns",
  "a.b": 7,
  __under: "u",
};

const cases = String.raw`
1
-1
0x1F
1u
0xFFu
1.5
-2.5e3
.5
1e400
9223372036854775807
9223372036854775808
-9223372036854775808
18446744073709551616u
'a'
"a\n\t\"b\""
r'a\n'
'''multi'''
"""x"y"""
b'abc'
b'\xff\x00'
'\u00e9\U0001F600'
'\303'
b'\303'
'\ud800'
"\q"
true
false
null
[]
{}
[1, 2, 3]
[1, 'a']
[1, 2.0]
[1, null]
[self.count, 1]
{'a': 1, 'b': 2}
{1: 'a', 2: 'b'}
{'a': 1, 'b': 'x'}
{'a': 1, 2: 2}
{1.5: 'a'}
[1,2,]
{'a':1,}
self
self.name
self.nosuch
self.nested.nosuch
self.nested.inner.deep
self.name.x
self.count.x
nosuch
nosuch.x.y
nosuch(1)
self.nosuch()
self.name.nosuch(1)
self.absent
self.absentObject
self.absentObject.x
has(self.absent)
has(self.name)
has(self.absentObject.x)
has(self.nested.inner.deep)
has(self.nested.inner)
has(self.labels.app)
has(self.labels.nope)
has(self)
has(self.name, 1)
has('a')
has({'a':1}.a)
has(self.name) && self.name == 'hello'
!has(self.absent) || self.absent == 'x'
self.absent == 'x' || true
true || self.absent == 'x'
self.absent == 'x' && false
false && self.absent == 'x'
self.absent == 'x' && true
self.absent == 'x' || false
self.on && self.count > 2 && self.size > 1.0 && self.name != ''
self.on || self.count > 2 || self.size > 1.0
self.on && self.count
1 && true
self.name || self.on
!self.on
!!self.on
!!!self.on
!self.name
-self.count
--self.count
-self.name
-self.size
-(-9223372036854775808)
1 + 2
1 + 2.0
1 + 2u
1 - 2
1u - 2u
2 * 3
7 / 2
-7 / 2
7 / 0
7 % 3
-7 % 3
7 % 0
7u / 0u
7u % 2u
7.0 / 2.0
7.0 / 0.0
7.0 % 2.0
9223372036854775807 + 1
-9223372036854775808 - 1
9223372036854775807 * 2
18446744073709551615u + 1u
-9223372036854775808 / -1
-9223372036854775808 % -1
'a' + 'b'
'a' + 1
self.name + self.free
b'a' + b'b'
[1] + [2]
[1] + ['a']
self.tags + ['x']
self.tags + self.tags
self.set + ['x', 'z']
self.set + self.set2
self.set == self.set2
self.set == ['y', 'x']
self.tags == ['a', 'bb', 'ccc']
self.ports == self.ports
self.ports + [self.ports[0]]
self.ports[0] == self.ports[1]
self.numbers == [3, 1, 2]
1 == 1
1 == 1.0
1 == 1u
1 == 'a'
'a' == 'a'
self.name == 'hello'
self.name == 1
self.name == null
self.nested == null
null == null
self.nested != null
self.count == 3
self.count == 3.0
self.count < 5.5
self.count < 5u
self.count >= 3
self.name < 'z'
self.name <= self.free
self.free > self.name
b'a' < b'b'
true > false
self.on < 1
[1] < [2]
[1] == [1.0]
{'a':1} == {'a':1.0}
{'a':1} == {'a':2}
self.size == 2.5
1.0 == 1u
2 > 1 > 0
self.count in [1, 2, 3]
self.count in [self.count]
self.name in ['a', 'hello']
self.name in self.tags
self.name in [1, 2]
'app' in self.labels
'nope' in self.labels
1 in {1: 2}
self.count in self.numbers
1.0 in [1, 2]
1 in []
'x' in self.set
self.name in []
self.labels['app']
self.labels['nope']
self.labels.app
self.labels.nope
self.tags[0]
self.tags[3]
self.tags[-1]
self.tags['0']
self.tags[self.count - 3]
self.tags[self.count]
self.labels[self.name]
self.labels[self.nested.inner.deep]
self.nested.inner.list[0][1]
self.ports[0].name
self.ports[1].name
{'a': 1}['a']
{'a': 1}.a
{'a': 1}.b
[1,2,3][1]
[1,2,3][1u]
[1,2,3][1.0]
dyn([1,2,3])[1.0]
dyn([1,2,3])[1u]
dyn([1,2,3])['a']
dyn(1).x
dyn1.name
dyn1.nosuch
dyn1.count + 1
dyn1.count + 'a'
dyn1.name.startsWith('he')
dyn1.count.startsWith('he')
dyn1.count > 'a'
dyn1.tags.size()
dyn1.on + 1
dyn1.on < 1
dyn1.absent + 1
-dyn1.name
!dyn1.name
int(dyn1.tags)
string(dyn1.tags)
dyn1.count.matches('a')
dyn1.name.upperAscii(1)
dyn1.count.upperAscii()
dyn1.labels + 1
string(123456.5)
string(1234567.5)
string(12345678901234567890.0)
self.free.split('quick')[1].trim().substring(2).size() > 3
[1,2,3].map(x, [x, x]).map(y, y[0] + y[1])
self.ports.map(p, p.name)
self.ports.exists_one(p, has(p.name))
dyn1.ports[0].port + dyn1.ports[1].port
self.labels.all(k, v, v.size() > 2) && self.on
self.numbers.all(n, n > 0 && n < 10 || n == 100)
dyn1.count.size()
dyn1.labels.map(k, k).size()
dyn1.count.map(k, k)
dyn1.on ? 1 : 2
dyn1.count ? 1 : 2
!dyn1.count
dyn1.count in dyn1.numbers
dyn1.count in dyn1.name
dyn1.numbers.sum()
dyn1.nested.inner.deep == 'value'
dyn1.size == 2.5
self.on ? self.name : self.free
self.on ? 1 : 2
self.on ? 1 : 'a'
self.count > 2 ? self.nested.inner.deep : 'x'
self.count > 5 ? 'a' : self.count > 2 ? 'b' : 'c'
(self.on ? self.nested : self.nested).inner.deep
(self.on ? self.tags : ['x'])[0]
self.name ? 1 : 2
size(self.name)
self.name.size()
size(self.tags)
self.labels.size()
size(self.raw)
size(1)
size('é😀')
self.name.startsWith('he')
self.free.endsWith('fox')
self.free.contains('quick')
self.name.contains('')
self.name.matches('^h.*o$')
self.name.matches('[')
self.name.matches(self.free)
matches(self.name, 'l+')
self.name.matches('(a+)+$')
self.free.find('[a-z]+')
self.free.findAll('[a-z]+')
self.free.findAll('[a-z]+', 2)
self.free.find('(')
self.free.find(self.name + '(')
self.free.findAll('x*')
self.free.split(' ')
self.free.split(' ', 2)
self.free.split('')
self.name.split('l', 0)
self.name.split(' ', -1)
self.tags.join()
self.tags.join('-')
self.numbers.join()
self.free.indexOf('quick')
self.free.indexOf('zz')
self.free.indexOf('o', 13)
self.free.indexOf('o', -1)
self.free.indexOf('o', 100)
self.free.lastIndexOf('o')
self.free.lastIndexOf('o', 12)
self.free.lastIndexOf('')
self.name.charAt(1)
self.name.charAt(5)
self.name.charAt(6)
self.name.substring(2)
self.name.substring(1, 3)
self.name.substring(3, 1)
self.name.substring(9)
self.name.replace('l', 'L')
self.name.replace('l', 'L', 1)
self.name.replace('', '-')
self.name.replace('l', '')
self.name.upperAscii()
'ÀB'.lowerAscii()
'  x '.trim()
strings.quote('a"b')
'%s is %d'.format([self.name, self.count])
'%s'.format([[1, 'a', 2.5, null, true]])
'%s'.format([{'b': 1, 'a': 'x'}])
'%d'.format(['a'])
'%.2f'.format([2.555])
'%f'.format([1234.5])
'%x %X %o %b'.format([255, 255, 8, 5])
'%x'.format(['hi'])
'%b'.format([true])
'%e'.format([1234.5])
'%%'.format([])
'%s'.format([])
'%q'.format([1])
'%s %s'.format([duration('1h'), timestamp('2024-01-01T00:00:00Z')])
'%s'.format([[duration('1h')]])
'%s'.format([type(1)])
'%s'.format([1.5])
'%s'.format([b'abc'])
[1,2,3].all(x, x > 0)
[1,2,3].all(x, x > 1)
[].all(x, x > 1)
self.tags.all(t, t.size() < 4)
self.tags.all(t, t == 'a' || t.size() > 1)
self.numbers.exists(n, n == 2)
self.numbers.exists(n, n == 9)
self.numbers.exists_one(n, n > 2)
self.numbers.existsOne(n, n > 1)
self.numbers.map(n, n * 2)
self.numbers.map(n, n > 1, n * 2)
self.numbers.filter(n, n > 1)
self.labels.all(k, k.size() > 2)
self.labels.all(k, self.labels[k].size() > 2)
self.labels.exists(k, self.labels[k] == 'nope')
self.labels.map(k, self.labels[k]).sort()
self.labels.filter(k, k == 'app')
self.ports.all(p, p.port > 0 && (!has(p.name) || p.name != ''))
self.ports.filter(p, has(p.name)).map(p, p.name)
self.ports.exists(p, p.name == 'http')
self.ports.all(p, p.name == 'http')
self.ports.all(p, self.ports.exists_one(q, q.port == p.port))
self.nested.inner.list.all(l, l.all(n, n > 0))
self.nested.inner.list.map(l, l.sum())
self.count.all(x, x > 0)
self.name.all(x, x == 'a')
[1,2].all(x.y, true)
[1,2].all(1, true)
[1,2].map(1, true)
[1,2].all(__result__, true)
[1,2].map(x, x, x, x)
[1,2].all(x, nosuch > x)
[1,2,3].all(i, v, i < v)
{'a': 1}.all(k, v, k == 'a' && v == 1)
self.labels.exists(k, v, v == 'nope')
self.tags.exists(i, t, i == 1 && t == 'bb')
self.tags.existsOne(i, t, t.size() == i + 1)
self.tags.transformList(i, t, '%d%s'.format([i, t]))
self.tags.transformList(i, t, i > 0, t)
self.labels.transformMap(k, v, v + '!')
self.labels.transformMap(k, v, k == 'app', v)
self.labels.transformMapEntry(k, v, {v: k})
self.tags.transformMapEntry(i, t, {t: i})
self.tags.transformMapEntry(i, t, {'same': i})
self.tags.all(i, i, true)
self.numbers.sum()
self.doubles.sum()
self.numbers.min()
self.numbers.max()
[].max()
self.tags.max()
self.numbers.isSorted()
self.tags.isSorted()
self.numbers.indexOf(1)
self.numbers.lastIndexOf(9)
self.tags.indexOf('bb')
self.tags.sum()
self.numbers.sort()
self.tags.sort()
self.ports.sortBy(p, p.port)
self.ports.sortBy(p, -p.port).map(p, p.port)
self.numbers.sortBy(n, -n)
self.numbers.reverse()
self.numbers.distinct()
[1, 1, 2].distinct()
[3, 1].sort()
lists.range(3)
lists.range(self.count)
[1,2,3,4].slice(1, 3)
self.numbers.slice(1, 5)
self.numbers.slice(-1, 2)
self.numbers.slice(2, 1)
[[1], [2, [3]]].flatten()
self.nested.inner.list.flatten()
[[1, [2]]].flatten(2)
self.numbers.first()
self.numbers.last().value()
[].first()
sets.contains([1, 2], [1])
sets.intersects(self.tags, ['bb'])
sets.equivalent([1, 2], [2, 1, 1])
sets.contains(self.numbers, [9])
int('12')
int('x')
int(self.name)
int('+5')
int(2.9)
int(-2.9)
int(1e30)
int(5u)
int(18446744073709551615u)
int(timestamp('1970-01-01T00:01:00Z'))
uint(3)
uint(-1)
uint('7')
uint(2.5)
double('1.5')
double('inf')
double('x')
double(self.free)
double(3)
string(1)
string(1.5)
string(1e100)
string(0.00001)
string(100000000.0)
string(true)
string(b'abc')
string(b'\xff')
string(self.raw)
string(self.lasts)
string(self.when)
string(self.day)
string([1])
bool('true')
bool('x')
bool('T')
bytes('é')
dyn(1)
dyn('a') + 1
type(1)
type(1) == int
type('a') == string
type(self.anyPort) == int
type(self.textPort) == string
type(self.name) == type('a')
type([1])
type({})
type(null)
type(type(1))
type(self.when) == google.protobuf.Timestamp
type(self)
int
self.anyPort == 8080
self.anyPort > 80
self.anyPort + 1
self.textPort + 'x'
self.textPort + 1
self.textPort.startsWith('h')
self.anyPort.startsWith('h')
type(self.anyPort) == int ? self.anyPort > 0 : self.anyPort.matches('^[a-z]+$')
timestamp('2024-02-29T12:34:56Z')
timestamp('2024-02-29T12:34:56+02:00')
timestamp('2024-02-30T00:00:00Z')
timestamp('x')
timestamp(self.name)
timestamp(0)
timestamp(1e3)
duration('1h')
duration('1h30m5.5s')
duration('-1.5h')
duration('x')
duration(self.name)
duration('100ms') < duration('1s')
self.when
self.day
self.lasts
self.raw
self.when > timestamp('2024-01-01T00:00:00Z')
self.when - self.day
self.when + self.lasts
self.when - self.lasts
self.lasts + self.lasts
self.lasts * 2
self.lasts > duration('1h')
self.lasts.getHours()
self.lasts.getMinutes()
self.lasts.getSeconds()
self.lasts.getMilliseconds()
self.when.getFullYear()
self.when.getMonth()
self.when.getDate()
self.when.getDayOfMonth()
self.when.getDayOfWeek()
self.when.getDayOfYear()
self.when.getHours()
self.when.getHours('America/New_York')
self.when.getHours('+05:30')
self.when.getHours('Nowhere/X')
self.when.getMinutes()
self.when.getSeconds()
self.when.getMilliseconds()
timestamp('9999-12-31T23:59:59Z') + duration('1s')
url('https://user@example.com:8080/a%20b?x=1&y=2&x=3#f')
url('https://example.com:8080/a%20b?x=1&x=3').getHost()
url('https://example.com:8080/a').getHostname()
url('https://example.com:8080/a').getPort()
url('https://example.com/a b').getEscapedPath()
url('https://example.com/a?x=1&x=3&y=2').getQuery()
url('https://example.com').getScheme()
url('/path').getHost()
url('not a url')
url('https://a b')
isURL('https://x')
isURL(':x')
isURL('../relative')
url('https://x') == url('https://x')
ip('192.168.0.1')
ip('192.168.0.1').family()
ip('::1').isLoopback()
ip('1.2.3')
ip('1.2.3.256')
ip('01.2.3.4')
ip('::ffff:1.2.3.4')
ip('fe80::1%eth0')
isIP('1.2.3.4')
isIP('x')
isIP(self.free)
ip.isCanonical('2001:db8::1')
ip.isCanonical('2001:DB8::1')
ip.isCanonical('2001:db8:0:0:0::1')
ip('169.254.1.1').isLinkLocalUnicast()
ip('224.0.0.1').isLinkLocalMulticast()
ip('8.8.8.8').isGlobalUnicast()
ip('0.0.0.0').isUnspecified()
ip('1.2.3.4') == ip('1.2.3.4')
string(ip('2001:db8:0:0::1'))
cidr('10.0.0.0/8')
cidr('10.0.0.0/8').containsIP('10.1.2.3')
cidr('10.0.0.0/8').containsIP(ip('11.1.2.3'))
cidr('10.0.0.0/8').containsIP('x')
cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')
cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16'))
cidr('10.1.2.3/8').masked()
string(cidr('10.1.2.3/8').masked())
cidr('10.1.2.3/8').prefixLength()
cidr('10.1.2.3/8').ip() == ip('10.1.2.3')
cidr('10.0.0.0')
cidr('10.0.0.0/33')
isCIDR('10.0.0.0/8')
isCIDR('x')
quantity('1.5Gi')
quantity('1.5Gi') == quantity('1536Mi')
quantity('x')
isQuantity('10Mi')
isQuantity('10mi')
quantity('1').isInteger()
quantity('1.5').isInteger()
quantity('1k').asInteger()
quantity('1.5').asInteger()
quantity('1.5').asApproximateFloat()
quantity('2').isGreaterThan(quantity('1'))
quantity('2').isLessThan(quantity('1'))
quantity('2').compareTo(quantity('1'))
quantity('50k').add(quantity('20k')) == quantity('70k')
quantity('50k').add(20) == quantity('50020')
quantity('50k').sub(20000) == quantity('30k')
quantity('-1').sign()
sign(quantity('-1'))
semver('1.2.3')
semver('1.2.3').major()
semver('1.2.3-alpha.1').isLessThan(semver('1.2.3'))
semver('v1.2', true) == semver('1.2.0')
semver('v1.2')
semver('01.2.3')
isSemver('1.2.3')
isSemver('v1.2')
isSemver('v1.2', true)
semver('1.2.3').compareTo(semver('1.10.0'))
format.dns1123Label().validate('ok')
format.dns1123Label().validate('NOT OK')
format.dns1123Label().validate(self.free).hasValue()
!format.named('dns1123Label').value().validate('a').hasValue()
format.named('nosuch')
format.uri().validate('x y')
format.uuid().validate('x')
format.byte().validate('aGVsbG8=')
format.date().validate('2024-02-30')
format.datetime().validate('2024-02-29T00:00:00Z')
format.labelValue().validate('-x')
format.qualifiedName().validate('a/b/c')
format.dns1123LabelPrefix().validate('abc-')
self.?absent
self.?absent.orValue('x')
self.?name.orValue('x')
self.?absentObject.x
self.?absentObject.?x.orValue(5)
self.?nested.inner.deep.orValue('d')
self.nested.?inner.deep
self.?name.hasValue()
self.?name.value()
self.?absent.value()
self.labels[?'app']
self.labels[?'nope'].orValue('z')
self.tags[?0]
self.tags[?9].orValue('none')
self.tags[?self.count]
optional.of(1)
optional.none()
optional.of(1).or(optional.of(2))
optional.none().or(optional.of(2)).value()
optional.ofNonZeroValue('')
optional.ofNonZeroValue('a').value()
optional.ofNonZeroValue(0)
optional.of(1) == optional.of(1)
optional.none() == optional.none()
self.?name.optMap(n, n + '!')
self.?absent.optMap(n, n + '!')
self.?name.optMap(n, n + '!').orValue('')
self.?name.optFlatMap(n, optional.of(n))
self.?name.optMap(1, 2)
[?self.?name, 'x']
[?self.?absent, 'x']
{?'a': self.?name, ?'b': self.?absent}
[?1]
{?'a': 1}
optional.unwrap([optional.of(1), optional.none()])
[optional.of(1)].unwrapOpt()
has(self.?nested.inner)
self.?nested.?inner.?deep.hasValue()
self.dash__dash__ed
self.__namespace__
self.a__dot__b
self.__underscores__under
self.namespace
self.dash-ed
self.choice == 'red'
self.choice in ['red', 'green']
self.choice.size()
self.free == self.choice
self.raw == b'hello'
self.metadata.name
self.metadata.labels
self.apiVersion + self.kind
Foo{}
int{}
self{}
authorizer.group('apps').resource('deployments').check('create').allowed()
authorizer.path('/x').check('get').allowed()
authorizer.serviceAccount('ns', 'n').group('').resource('pods').namespace('x').name('y').check('get').allowed()
authorizer.group('apps').resource('d').fieldSelector('a=b').labelSelector('c=d').check('list').reason()
self.tags.exists(t, t.matches('^[a-z]*$'))
self.ports.map(p, p.port).sum() > 500
self.labels.all(k, k.matches('^[a-z]+$') && self.labels[k].size() <= 63)
self.tags.map(t, t + t).all(t, t.size() < 100)
[[1,2],[3]].map(l, l.map(x, x + 1))
self.tags.filter(t, t != 'a').size() == 2
{'a': self.name}.a == self.name
{'a': {'b': [self.count]}}.a.b[0]
'a' in {'a': self.count}
cel.bind(x, 1, x + 1)
1 +
(1
1)
[1
{1
{1:
{1: 2
self.
self.name ==
== 1
1 2
self name
a b c
'abc
"abc
@
1 $ 2
#
self.name = 'x'
self.on & true
self.on | true
if
self.if
let
true()
x ? y
1 ? 2 : 3
f(
f(1,
f(1,)
f(1 2)
[1,,2]
,
)
{}.x
"\x4"
b'\u00e9'
'a' 'b'
self.name.size(1)
self.name.startsWith()
self.name.startsWith(1)
size()
has()
self.tags.all(t)
self.tags.all()
.self.name
self .name
self
  .name == 'x' &&
  nosuch
'é' + nosuch
self.name == 'é' && nosuch
// comment
1 // comment
${"1 + ".repeat(100)}1
${"(".repeat(260)}1${")".repeat(260)}
${"self.on && ".repeat(30)}true
${"self".padEnd(4 + 2 * 5, ".x")}
`
  .split("\n")
  .filter((line) => line !== "");
// An expression over several lines.
cases.push("self.name == 'x' &&\n  nosuch > 1", "[1,\n 2,\n 'a']", "1 +\n\t+ 2");
writeFileSync("corpus.json", `${JSON.stringify({ schema, self, cases }, null, 1)}\n`);

// The C header: a program compiled from it exchanges every kind with the TypeScript codec, both ways.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { message, signal } from '../../daemon/message/message.js'
import { bool, f64, i8, i16, i32, i64, u8, u16, u32, u64 } from '../../daemon/message/numbers.js'
import { MessageTable, recordKind } from '../../daemon/message/table.js'
import { bytes, choice, ip4, ip6, json, mac, text } from '../../daemon/message/values.js'
import { Folder } from '../support/folder.js'
import { Program } from '../support/program.js'
import { runC } from './gcc.js'

const table = new MessageTable({
  everyKind: message(5, {
    a: u8,
    b: u16,
    c: u32,
    d: u64,
    e: i8,
    f: i16,
    g: i32,
    h: i64,
    i: f64,
    j: bool,
    k: ip4,
    l: ip6,
    m: mac,
    n: text(8),
    o: bytes(5),
    p: choice('red', 'dark-green'),
    while: u16,
  }),
  open: message(6, { id: u32, rest: json }),
  nothing: message(7),
  tick: signal(8),
})

const value = {
  a: 0xfe,
  b: 0xfedc,
  c: 0xfedcba98,
  d: 0xfedcba9876543210n,
  e: -2,
  f: -300,
  g: -70_000,
  h: -5_000_000_000n,
  i: -1234.5678e-9,
  j: true,
  k: '192.0.2.33',
  l: '2001:db8::ff:1',
  m: '02:00:5e:10:00:ff',
  n: 'größe',
  o: Uint8Array.of(1, 2, 3),
  p: 'dark-green',
  while: 77,
}

const program = `
  #include "messages.h"
  #include <arpa/inet.h>
  #include <inttypes.h>
  #include <stdio.h>
  #include <stdlib.h>

  static void put(const void *bytes, size_t size) {
    for (size_t n = 0; n < size; n++) printf("%02x", ((const unsigned char *)bytes)[n]);
    printf("\\n");
  }

  static size_t get(void *bytes, size_t size) {
    unsigned n = 0, byte;
    int c;
    while (n < size && scanf("%2x", &byte) == 1) {
      ((unsigned char *)bytes)[n++] = byte;
      if ((c = getchar()) == '\\n' || c == EOF) break;
      ungetc(c, stdin);
    }
    return n;
  }

  int main(void) {
    // C to TypeScript.
    struct my_node_1_everyKind every = {.a = 0xfe, .b = 0xfedc, .c = 0xfedcba98, .d = 0xfedcba9876543210, .e = -2, .f = -300,
      .g = -70000, .h = -5000000000, .i = -1234.5678e-9, .j = 1, .m = {2, 0, 0x5e, 0x10, 0, 0xff}, .o = {3, {1, 2, 3}},
      .p = MY_NODE_1_EVERY_KIND_P_DARK_GREEN, .while_ = 77};
    inet_pton(AF_INET, "192.0.2.33", every.k);
    inet_pton(AF_INET6, "2001:db8::ff:1", every.l);
    if (corod_put_text(every.n, sizeof(every.n), "gr\\xc3\\xb6\\xc3\\x9f" "e") != 0) return 1;
    char small[2];
    if (corod_put_text(small, sizeof(small), "abc") != -1 || small[0] != 'a' || small[1] != 'b') return 2;
    printf("%u %u\\n", MY_NODE_1_EVERY_KIND_CODE, MY_NODE_1_EVERY_KIND_SIZE);
    put(&every, sizeof(every));
    const char rest[] = "{\\"a\\":[1,null]}";
    struct my_node_1_open *open = malloc(MY_NODE_1_OPEN_SIZE(sizeof(rest) - 1));
    open->id = 9;
    open->rest_length = sizeof(rest) - 1;
    memcpy(open->rest, rest, sizeof(rest) - 1);
    put(open, MY_NODE_1_OPEN_SIZE(open->rest_length));
    free(open);
    printf("%u %u %u\\n", MY_NODE_1_NOTHING_CODE, MY_NODE_1_NOTHING_SIZE, MY_NODE_1_TICK_CODE);

    // TypeScript to C.
    struct my_node_1_everyKind in;
    if (get(&in, sizeof(in)) != sizeof(in)) return 3;
    char four[64], six[64];
    inet_ntop(AF_INET, in.k, four, sizeof(four));
    inet_ntop(AF_INET6, in.l, six, sizeof(six));
    printf("%u %u %u %" PRIu64 " %d %d %d %" PRId64 " %.17g %u %s %s %02x:%02x:%02x:%02x:%02x:%02x %.8s %u:%02x%02x%02x %u %u\\n",
      in.a, in.b, in.c, in.d, in.e, in.f, in.g, in.h, in.i, in.j, four, six, in.m[0], in.m[1], in.m[2], in.m[3], in.m[4],
      in.m[5], in.n, in.o.length, in.o.data[0], in.o.data[1], in.o.data[2], in.p, in.while_);
    char memory[4096];
    size_t size = get(memory, sizeof(memory));
    struct my_node_1_open *came = (void *)memory;
    if (size != MY_NODE_1_OPEN_SIZE(came->rest_length)) return 4;
    printf("%u %.*s\\n", came->id, (int)came->rest_length, came->rest);
    return 0;
  }`

describe('C header', () => {
  it('every kind, from C and to C', async () => {
    const hex = (name: string, fields: unknown) => Buffer.from(table.encode(name, fields)).toString('hex')
    const rest = { list: [1, 'zwei'], '€': null }
    const input = `${hex('everyKind', value)}\n${hex('open', { id: 11, rest })}\n`
    const output = await runC(program, { 'messages.h': table.header('my-node.1') }, input)
    const [codes, every, open, nothing, read, readOpen] = output.trim().split('\n') as [
      string,
      string,
      string,
      string,
      string,
      string,
    ]

    assert.equal(codes, `5 ${table.maxSize('everyKind')}`)
    assert.equal(nothing, '7 0 8')
    const decode = (name: string, line: string) => {
      const record = Buffer.from(line, 'hex')
      const view = new DataView(record.buffer, record.byteOffset, record.length)
      return table.decode(table.code(name)!, recordKind.event, view, 0, record.length)
    }
    assert.deepEqual(decode('everyKind', every), value)
    assert.equal(every, hex('everyKind', value))
    assert.deepEqual(decode('open', open), { id: 9, rest: { a: [1, null] } })
    assert.equal(
      read,
      [
        [0xfe, 0xfedc, 0xfedcba98, 0xfedcba9876543210n, -2, -300, -70_000, -5_000_000_000n].join(' '),
        '-1.2345678e-06 1 192.0.2.33 2001:db8::ff:1 02:00:5e:10:00:ff größe 3:010203 1 77',
      ]
        .join(' ')
        .replace('-1.2345678e-06', read.split(' ')[8]!),
    )
    assert.equal(Number(read.split(' ')[8]), value.i)
    assert.equal(readOpen, `11 ${JSON.stringify(rest)}`)
  }).timeout(60_000)

  it('names that C does not take are changed; two headers go together', async () => {
    const odd = new MessageTable({ 'link-up': message(1, { class: u8, int: u16 }) })
    const names = { 'a.h': odd.header('a'), 'b.h': odd.header('9-lives'), 'again.h': '#include "a.h"\n#include "b.h"' }
    const output = await runC(
      `#include "a.h"
       #include "b.h"
       #include "again.h"
       #include <stdio.h>
       int main(void) {
         struct a_link_up one = {.class_ = 1, .int_ = 2};
         struct n_9_lives_link_up two = {.class_ = 3, .int_ = 4};
         printf("%d %d %u %u", one.class_, two.int_, A_LINK_UP_SIZE, N_9_LIVES_LINK_UP_CODE);
       }`,
      names,
    )
    assert.equal(output, '1 4 3 1')
  }).timeout(60_000)

  it('C++ takes it, too', async () => {
    using folder = new Folder()
    folder.write('messages.h', table.header('node'))
    const source = folder.write(
      'program.cpp',
      '#include "messages.h"\nint main() { node_everyKind every{}; return every.while_; }',
    )
    await using gxx = new Program('g++', ['-std=gnu++17', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', source])
    assert.deepEqual(await gxx.exit, { code: 0, signal: null }, gxx.stderr)
  }).timeout(60_000)
})

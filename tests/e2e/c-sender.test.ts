// A sender in C: compiled from what `corod header` prints, its messages reach the coroutine as those of the local socket.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'mocha'
import { runC } from '../message/gcc.js'
import { Folder, root } from '../support/folder.js'
import { corod, startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'

const program = `
  #include "kinds.h"
  #include <arpa/inet.h>
  #include <stdio.h>

  static void put(unsigned code, const void *bytes, size_t size) {
    printf("%u ", code);
    for (size_t n = 0; n < size; n++) printf("%02x", ((const unsigned char *)bytes)[n]);
    printf("\\n");
  }

  int main(void) {
    static const char more[] = "{\\"list\\":[1,null,\\"x\\"]}";
    static union { struct kinds_every every; char bytes[KINDS_EVERY_SIZE(sizeof(more) - 1)]; } u = {.every = {
      .a = 254, .b = 65000, .c = 4000000000, .d = 18000000000000000000u, .e = -100, .f = -30000, .g = -2000000000,
      .h = -9000000000000000000, .i = -0.1, .j = 1, .m = {2, 0, 0, 0, 0, 0xfe}, .o = {4, {0, 1, 254, 255}},
      .p = KINDS_EVERY_P_GREEN, .q_length = sizeof(more) - 1}};
    inet_pton(AF_INET, "192.0.2.254", u.every.k);
    inet_pton(AF_INET6, "2001:db8::fe", u.every.l);
    corod_put_text(u.every.n, sizeof u.every.n, "gr\\xc3\\xbc\\xc3\\x9f" "e");
    memcpy(u.every.q, more, sizeof(more) - 1);
    put(KINDS_EVERY_CODE, u.bytes, sizeof u.bytes);
    put(KINDS_NOTHING_CODE, NULL, KINDS_NOTHING_SIZE);
    // One byte less than it has, and a datum where a message belongs.
    put(KINDS_EVERY_CODE, u.bytes, sizeof u.bytes - 1);
    printf("%u\\n", KINDS_TICK_CODE);
  }`

const value = {
  type: 'every',
  a: 254,
  b: 65_000,
  c: 4_000_000_000,
  d: '18000000000000000000',
  e: -100,
  f: -30_000,
  g: -2_000_000_000,
  h: '-9000000000000000000',
  i: -0.1,
  j: true,
  k: '192.0.2.254',
  l: '2001:db8::fe',
  m: '02:00:00:00:00:fe',
  n: 'grüße',
  o: 'AAH+/w==',
  p: 'green',
  q: { list: [1, null, 'x'] },
}

describe('end to end: a sender in C', function () {
  this.timeout(60_000)

  it('exchanges every kind with the daemon', async () => {
    using folder = new Folder()
    await using host = await startStandalone(folder)
    const file = folder.at('kinds.ndjson')
    const module = `${root}/dist/tests/e2e/nodes/kinds.js`
    await using daemon = startDaemon(folder, `nodes:\n  kinds: { module: ${module}, options: { file: ${file} } }\n`)
    await daemon.running()
    const header = await corod(['-c', daemon.config, 'header', 'kinds'])
    assert.deepEqual([header.code, header.stderr], [0, ''])
    const [every, nothing, short, tick] = (await runC(program, { 'kinds.h': header.stdout })).trim().split('\n')
    for (const sent of [every, nothing, short]) await host.cli(`corod send kinds ${sent?.trim()}`)
    await host.cli(`signal kinds ${tick} 18446744073709551615`)
    const { type, ...fields } = value
    const sent = await corod(['--socket', daemon.socket, 'send', 'kinds', type, JSON.stringify(fields)])
    assert.deepEqual([sent.code, sent.stderr], [0, ''])
    const lines = await waitFor('the events', () => {
      const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
      return lines.length === 4 ? lines.map(line => JSON.parse(line)) : undefined
    })
    assert.deepEqual(lines, [value, { type: 'nothing' }, { type: 'tick', data: '18446744073709551615' }, value])
    // What does not fit is a dead letter, and what came after it arrived.
    assert.equal((await daemon.client.node('kinds')).rejected, 1)
    await daemon.logged('the reason', line => /does not fit .*q: length/.test(String(line.msg)))
    const { letters } = await daemon.client.deadLetters('kinds')
    assert.deepEqual(
      letters.map(({ type, bytes }) => [type, bytes === undefined ? '' : Buffer.from(bytes, 'base64').toString('hex')]),
      [['every', short?.trim().split(' ')[1]]],
    )
  })
})

// The predefined interface message, and every number that this folder shares with shm/layout.h, against the C compiler.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { interfaceChange } from '../../daemon/message/interface.js'
import { maxEvent } from '../../daemon/message/kind.js'
import { layOut } from '../../daemon/message/layout.js'
import { firstReservedCode } from '../../daemon/message/message.js'
import { MessageTable, recordKind } from '../../daemon/message/table.js'
import { runC } from './gcc.js'

const table = new MessageTable({ link: interfaceChange })
const fields = Object.keys(interfaceChange.fields)

describe('what is shared with shm/layout.h', () => {
  it('is what the C compiler says', async () => {
    const numbers = [
      ...['EVENT', 'SIGNAL', 'GAP', 'CLOSE'].map(kind => `COROD_KIND_${kind}`),
      'COROD_CODE_RESERVED',
      'COROD_CODE_INTERFACE',
      'COROD_MAX_EVENT',
      'sizeof(struct corod_gap)',
      'sizeof(struct corod_interface)',
      ...fields.map(field => `offsetof(struct corod_interface, ${field})`),
      ...fields.map(field => `sizeof(((struct corod_interface *)0)->${field})`),
    ]
    const output = await runC(
      `#include "shm/layout.h"
       #include <stdio.h>
       int main(void) { ${numbers.map(number => `printf("%llu\\n", (unsigned long long)${number});`).join('\n')} }`,
    )
    const [placed] = layOut({ link: interfaceChange })
    assert.deepEqual(output.trim().split('\n').map(Number), [
      ...Object.values(recordKind),
      firstReservedCode,
      interfaceChange.code,
      maxEvent,
      24,
      placed!.size,
      ...placed!.fields.map(field => field.offset),
      ...placed!.fields.map(field => field.kind.size),
    ])
  })
})

describe('interfaceChange', () => {
  // The changes that C writes, with state that can be told apart.
  const program = `
    #include "shm/layout.h"
    #include <arpa/inet.h>
    #include <stdio.h>
    #include <string.h>
    static void put(struct corod_interface *i) {
      for (size_t n = 0; n < sizeof(*i); n++) printf("%02x", ((unsigned char *)i)[n]);
      printf("\\n");
    }
    int main(void) {
      struct corod_interface i = {.index = 0x01020304, .admin = 1, .mtu = 9000, .mac = {2, 0, 0x5e, 0, 0, 1}};
      strcpy(i.name, "GigabitEthernet0/8/0");
      for (int change = COROD_CHANGE_ADMIN; change <= COROD_CHANGE_RESYNC; change++) {
        i.change = change;
        i.link = change % 2;
        put(&i);
      }
      i.change = COROD_CHANGE_ADDRESS_ADDED;
      i.family = 4;
      i.prefix = 24;
      inet_pton(AF_INET, "10.0.0.1", i.address);
      put(&i);
      i.family = 6;
      i.prefix = 64;
      inet_pton(AF_INET6, "2001:db8::1", i.address);
      memset(i.name, 'x', sizeof(i.name));
      put(&i);
      memset(i.name, 0xff, 2);
      i.name[2] = 0;
      put(&i);
    }`

  it('is decoded as C wrote it', async () => {
    const events = (await runC(program))
      .trim()
      .split('\n')
      .map(line => {
        const record = Buffer.from(line, 'hex')
        const view = new DataView(record.buffer, record.byteOffset, record.length)
        return table.decode(interfaceChange.code, recordKind.event, view, 0, record.length)
      })
    const base = {
      index: 0x01020304,
      admin: true,
      mtu: 9000,
      mac: '02:00:5e:00:00:01',
      family: 0,
      prefix: 0,
      address: undefined,
      name: 'GigabitEthernet0/8/0',
    }
    const changes = ['admin', 'link', 'mtu', 'address-added', 'address-removed', 'added', 'removed', 'resync']
    const six = { ...base, change: 'address-added', link: false, family: 6, prefix: 64, address: '2001:db8::1' }
    assert.deepEqual(events, [
      ...changes.map((change, i) => ({ ...base, change, link: i % 2 === 0 })),
      { ...base, change: 'address-added', link: false, family: 4, prefix: 24, address: '10.0.0.1' },
      { ...six, name: 'x'.repeat(64) },
      { ...six, name: '\ufffd\ufffd' },
    ])
  })

  it('refuses changes and families that there are not', () => {
    const record = new Uint8Array(99)
    const decode = () => table.decode(interfaceChange.code, recordKind.event, new DataView(record.buffer), 0, 99)
    assert.throws(decode, /\/change: 0 is no kind of change/)
    record[4] = 9
    assert.throws(decode, /\/change: 9 is no kind of change/)
    record[4] = 8
    record[17] = 5
    assert.throws(decode, /\/family: 5 is no address family/)
  })

  it('cannot be sent from outside', () => {
    assert.throws(() => table.encode('link', {}), /"link" is sent by the host only/)
    assert.throws(() => table.encode('lnk', {}), /there are no messages/)
    assert.doesNotMatch(table.header('node'), /link/)
  })
})

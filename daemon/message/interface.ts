// interface.ts: the predefined message about interfaces, `struct corod_interface` of shm/layout.h.

import { readIp4, readIp6 } from './address.js'
import { Misfit } from './errors.js'
import type { Kind } from './kind.js'
import type { HostMessage } from './message.js'
import { bool, u8, u32 } from './numbers.js'
import { readLooseText } from './text.js'
import { mac } from './values.js'

/** COROD_CODE_INTERFACE. */
const interfaceCode = 0xffff_0001

/**
 * What an interface transition is about. `resync`: the state was read afresh, because transitions may have been missed;
 * treat it as news about everything.
 */
export type InterfaceChangeKind =
  | 'admin'
  | 'link'
  | 'mtu'
  | 'address-added'
  | 'address-removed'
  | 'added'
  | 'removed'
  | 'resync'

// enum corod_change, in its order; it starts at 1.
const changes: readonly InterfaceChangeKind[] = [
  'admin',
  'link',
  'mtu',
  'address-added',
  'address-removed',
  'added',
  'removed',
  'resync',
]

// A field that only the host writes, so it is never prepared from outside.
function received<T>(name: string, size: number, read: (view: DataView, offset: number) => T): Kind<T> {
  const refuse = () => {
    throw new Misfit('is sent by the host only')
  }
  return {
    name,
    size,
    open: false,
    schema: {},
    c: field => ({ declaration: `uint8_t ${field}[${size}]` }),
    read,
    prepare: refuse,
    extra: () => 0,
    write: refuse,
  }
}

const change = received('change', 1, (view, offset) => {
  const found = changes[view.getUint8(offset) - 1]
  if (found === undefined) throw new Misfit(`${view.getUint8(offset)} is no kind of change`)
  return found
})

const family = received<0 | 4 | 6>('family', 1, (view, offset) => {
  const value = view.getUint8(offset)
  if (value !== 0 && value !== 4 && value !== 6) throw new Misfit(`${value} is no address family`)
  return value
})

// Its meaning depends on `family`, two bytes before it (`prefix` is between).
const address = received<string | undefined>('address', 16, (view, offset) => {
  switch (view.getUint8(offset - 2)) {
    case 4:
      return readIp4(view, offset)
    case 6:
      return readIp6(view, offset)
    default:
      return undefined
  }
})

const name = received('name', 64, (view, offset) => readLooseText(view, offset, 64))

/** The fields of an `interfaceChange` event: the whole state after the transition, not only what changed. */
export type InterfaceChangeFields = {
  /** VPP's `sw_if_index`; on the standalone host the kernel's index. */
  readonly index: Kind<number>
  /** What the transition is about. */
  readonly change: Kind<InterfaceChangeKind>
  /** Administratively up. */
  readonly admin: Kind<boolean>
  /** Carrier. */
  readonly link: Kind<boolean>
  /** Bytes of the largest packet of layer 3. */
  readonly mtu: Kind<number>
  /** All zero if it has none. */
  readonly mac: Kind<string>
  /** 4 or 6: of `address`; 0 if the transition is not about an address. */
  readonly family: Kind<0 | 4 | 6>
  /** Bits of the prefix of `address`; 0 without one. */
  readonly prefix: Kind<number>
  /** The address that was added or removed; undefined if the transition is not about one. */
  readonly address: Kind<string | undefined>
  /** The name of the interface; at most 64 bytes. */
  readonly name: Kind<string>
}

/**
 * Every transition of an interface of the host, in order and timed: list it in the message table to get them.
 *
 * @example messages: { link: interfaceChange }
 */
export const interfaceChange: HostMessage<InterfaceChangeFields> = {
  code: interfaceCode,
  form: 'host',
  fields: { index: u32, change, admin: bool, link: bool, mtu: u32, mac, family, prefix: u8, address, name },
}

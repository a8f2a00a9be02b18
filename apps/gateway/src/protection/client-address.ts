import type { IncomingMessage } from 'node:http'
import { BlockList, SocketAddress, isIP, isIPv4 } from 'node:net'

/** Whether a host setting keeps a server to its own machine. */
export function isLoopbackHost(host: string): boolean {
  if (host === 'localhost') return true
  return isIP(host) !== 0 && loopback.check(plain(host), family(plain(host)))
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/**
 * Addresses (`192.0.2.1`) and networks (`10.0.0.0/8`, `fd00::/8`).
 *
 * @param onProblem called with each entry that is neither.
 */
export function addressList(
  entries: readonly string[],
  onProblem: (entry: string) => void,
): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? []
    const most = isIPv4(address) ? 32 : 128
    const length = bits === undefined ? most : Number(bits)
    if (isIP(address) === 0 || length > most) onProblem(entry)
    else list.addSubnet(address, length, family(address))
  }
  return list
}

/**
 * Who sent the request: the peer, or, as long as those who vouch for an address are trusted, the one that they
 * name in X-Forwarded-For. Each proxy appends whom it heard, so that the list is read from its end: what a client
 * wrote into it itself comes before the first address that is not trusted, and is never reached.
 */
export function clientAddress(request: IncomingMessage, trusted: BlockList): string {
  let address = plain(request.socket.remoteAddress ?? '')
  const forwarded = request.headers['x-forwarded-for']
  if (forwarded === undefined) return address
  const named = [forwarded].flat().join(',').split(',')
  while (isIP(address) !== 0 && trusted.check(address, family(address))) {
    const before = plainEntry(named.pop())
    if (before === undefined) return address
    address = before
  }
  return address
}

/**
 * What limits count by: an IPv4 address, or the /64 of an IPv6 one, which is what a single household gets; by
 * single addresses nobody would ever come to a limit.
 */
export function addressKey(address: string): string {
  if (isIP(address) !== 6) return address
  const groups = new SocketAddress({ address, family: 'ipv6' }).address.split('::')
  const [head = '', tail = ''] = groups
  const first = head === '' ? [] : head.split(':')
  const last = tail === '' ? [] : tail.split(':')
  const zeros = Array.from(
    { length: groups.length > 1 ? 8 - first.length - last.length : 0 },
    () => '0',
  )
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`
}

/** An entry of X-Forwarded-For: some proxies write the port as well. */
function plainEntry(entry: string | undefined): string | undefined {
  const text = entry?.trim() ?? ''
  const [, bracketed, dotted] = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? []
  const address = plain(bracketed ?? dotted ?? text)
  return isIP(address) === 0 ? undefined : address
}

/** An IPv4 peer of a socket that listens on both is `::ffff:192.0.2.1`. */
function plain(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return mapped ?? address
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6'
}

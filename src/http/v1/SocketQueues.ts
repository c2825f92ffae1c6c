/**
 * What the kernel holds of TCP connections, from Linux's `/proc/net/tcp`: bytes that a peer has not acknowledged, and, where the
 * peer is on this machine, bytes that it has received and not read. Node knows only what it could hand to the kernel, which takes
 * megabytes; a slow reader would look like a dead one for minutes.
 *
 * @internal
 */
import { readFile } from "node:fs/promises"
import { isIPv4, isIPv6, type Socket } from "node:net"

/** Bytes of one connection in the kernel. */
export interface SocketQueue {
  /** Written here, not acknowledged by the other side. */
  readonly sendBytes: number
  /** Received here, not read by the program. */
  readonly receiveBytes: number
}

/** By the names that {@link nameOf} gives. */
export type SocketQueues = ReadonlyMap<string, SocketQueue>

const FILES = ["/proc/self/net/tcp", "/proc/self/net/tcp6"]

/** IPv4 addresses in IPv6 sockets begin so, and are written like IPv4's here. */
const MAPPED = "0000000000000000FFFF0000"

const HEX_V4 = 8

const row =
  /^ *\d+: ([0-9A-F]{8,32}):([0-9A-F]{4}) ([0-9A-F]{8,32}):([0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):([0-9A-F]{8}) /gm

const unmapped = (hex: string): string => hex.startsWith(MAPPED) ? hex.slice(-HEX_V4) : hex

const byteHex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, "0")

/** The bytes of an address; undefined for any other text. */
const bytesOf = (address: string): ReadonlyArray<number> | undefined => {
  if (isIPv4(address)) return address.split(".").map(Number)
  const [plain = ""] = address.split("%")
  if (!isIPv6(plain)) return undefined
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1]
  if (mapped !== undefined) return bytesOf(mapped)
  const [head = "", tail] = plain.split("::")
  const groupsOf = (text: string): ReadonlyArray<string> => text === "" ? [] : text.split(":")
  const [front, back] = [groupsOf(head), groupsOf(tail ?? "")]
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => "0")
  return [...front, ...zeros, ...back].flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}

/** An address as the kernel writes it: words of four bytes, the last byte first. */
const addressHex = (address: string): string | undefined => {
  const bytes = bytesOf(address)
  if (bytes === undefined) return undefined
  const words = Array.from({ length: bytes.length / 4 }, (_, word) => bytes.slice(word * 4, word * 4 + 4).toReversed())
  return unmapped(words.flat().map(byteHex).join(""))
}

const portHex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0")

const nameOfEnds = (local: string, remote: string): string => `${local}>${remote}`

/** A connection's name and that of its other end; undefined once it has no addresses any more. */
export const namesOf = (socket: Socket): { readonly own: string; readonly peer: string } | undefined => {
  const { localAddress, localPort, remoteAddress, remotePort } = socket
  if (localAddress === undefined || remoteAddress === undefined) return undefined
  if (localPort === undefined || remotePort === undefined) return undefined
  const [local, remote] = [addressHex(localAddress), addressHex(remoteAddress)]
  if (local === undefined || remote === undefined) return undefined
  const [here, there] = [`${local}:${portHex(localPort)}`, `${remote}:${portHex(remotePort)}`]
  return { own: nameOfEnds(here, there), peer: nameOfEnds(there, here) }
}

/** The queues of the wanted connections in such a file's text. */
export const parseSocketQueues = (text: string, wanted: ReadonlySet<string>): SocketQueues => {
  const found = new Map<string, SocketQueue>()
  for (
    const [, local = "", localPort = "", remote = "", remotePort = "", sent = "", received = ""] of text.matchAll(row)
  ) {
    const name = nameOfEnds(`${unmapped(local)}:${localPort}`, `${unmapped(remote)}:${remotePort}`)
    if (!wanted.has(name)) continue
    found.set(name, { sendBytes: Number.parseInt(sent, 16), receiveBytes: Number.parseInt(received, 16) })
  }
  return found
}

/** Reads the queues of the wanted connections; undefined where the system does not show them. */
export const readSocketQueues = async (wanted: ReadonlySet<string>): Promise<SocketQueues | undefined> => {
  const texts = await Promise.all(FILES.map((path) => readFile(path, "latin1").catch(() => "")))
  return texts.every((text) => text === "") ? undefined : parseSocketQueues(texts.join("\n"), wanted)
}

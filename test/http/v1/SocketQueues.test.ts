import { assert, describe, it } from "@effect/vitest"
import { Socket } from "node:net"
import { namesOf, parseSocketQueues } from "../../../src/http/v1/SocketQueues.ts"

/** A socket with the addresses of a table's row. */
class AddressedSocket extends Socket {
  override readonly localAddress: string
  override readonly localPort: number
  override readonly remoteAddress: string
  override readonly remotePort: number

  constructor(local: readonly [string, number], remote: readonly [string, number]) {
    super()
    ;[this.localAddress, this.localPort] = local
    ;[this.remoteAddress, this.remotePort] = remote
  }
}

const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 10 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 0039DC00:00000000 04:0000009E 00000000     0        0 11 2 0 20 4 30 10 -1
   2: 0100007F:C350 0100007F:1F90 01 00000000:0001F400 00:00000000 00000000     0        0 12 1 0 20 4 30 10 -1
  12: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF0000AC01A8C0:0016 01 00000001:00000002 00:00000000 0 0 0 13
  13: B80D0120000000000000000001000000:01BB B80D0120000000000000000002000000:C351 01 00000003:00000004 00:00000000 0 0 0 14
`

describe("SocketQueues", () => {
  const rows: ReadonlyArray<
    readonly [local: readonly [string, number], remote: readonly [string, number], queue: readonly [number, number]]
  > = [
    [["127.0.0.1", 8_080], ["127.0.0.1", 50_000], [3_791_872, 0]],
    [["127.0.0.1", 50_000], ["127.0.0.1", 8_080], [0, 128_000]],
    [["::ffff:127.0.0.1", 8_080], ["::ffff:192.168.1.172", 22], [1, 2]],
    [["2001:db8::1", 443], ["2001:db8::2%eth0", 50_001], [3, 4]]
  ]
  it.each(rows)("finds %o to %o", (local, remote, [sendBytes, receiveBytes]) => {
    const names = namesOf(new AddressedSocket(local, remote))
    assert.isDefined(names)
    if (names === undefined) return
    assert.deepStrictEqual(parseSocketQueues(text, new Set([names.own])).get(names.own), { sendBytes, receiveBytes })
    assert.strictEqual(parseSocketQueues(text, new Set()).size, 0)
  })

  it("names both ends of a connection alike", () => {
    const names = namesOf(new AddressedSocket(["127.0.0.1", 1], ["::ffff:127.0.0.1", 2]))
    const other = namesOf(new AddressedSocket(["::ffff:127.0.0.1", 2], ["127.0.0.1", 1]))
    assert.deepStrictEqual(names, { own: other?.peer, peer: other?.own })
    assert.isUndefined(namesOf(new Socket()))
  })
})

/**
 * Names that users choose are resolved by a DNS server on this machine: without a thread of the process's pool, within a bound, and to no
 * address that users may not have called.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHook } from "node:async_hooks"
import { createSocket } from "node:dgram"
import type { LookupAddress } from "node:dns"
import type { LookupFunction } from "node:net"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { makeUserOutboundGuard } from "../../src/config/OutboundGuard.ts"
import { OUTBOUND_REFUSED, outboundGuard } from "../../src/config/OutboundUrl.ts"
import { publicLookup } from "../../src/config/PublicLookup.ts"

const TYPE_A = 1
const HEADER_BYTES = 12

/** Answers questions for IPv4 addresses with these; without any it is silent. */
const dnsServer = (addresses: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: string; readonly close: () => void }>((resume) => {
      const socket = createSocket("udp4")
      socket.on("message", (question, from) => {
        if (addresses.length === 0) return
        const end = question.indexOf(0, HEADER_BYTES) + 5
        const found = question.readUInt16BE(end - 4) === TYPE_A ? addresses : []
        const header = Buffer.from(question.subarray(0, HEADER_BYTES))
        header.writeUInt16BE(0x8180, 2)
        header.writeUInt16BE(found.length, 6)
        header.writeUInt32BE(0, 8)
        const records = found.map((address) =>
          Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split(".").map(Number)])
        )
        socket.send(Buffer.concat([header, question.subarray(HEADER_BYTES, end), ...records]), from.port, from.address)
      })
      socket.bind(0, "127.0.0.1", () => {
        resume(Effect.succeed({ server: `127.0.0.1:${socket.address().port}`, close: () => socket.close() }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

/** The addresses, or the code of the failure. */
const looked = (lookup: LookupFunction, hostname: string) =>
  Effect.callback<ReadonlyArray<LookupAddress> | string | undefined>((resume) => {
    lookup(hostname, { all: true }, (error, found) => resume(Effect.succeed(error === null ? found : error.code)))
  })

describe("names that users choose", () => {
  it.live("are resolved, and what is not public is left out", () =>
    Effect.gen(function*() {
      const { server } = yield* dnsServer(["192.168.1.1", "8.8.4.4"])
      const lookup = publicLookup([server])
      const guard = outboundGuard([], lookup, { by: "user" })
      assert.deepStrictEqual(yield* looked(lookup, "hook.example"), [
        { address: "192.168.1.1", family: 4 },
        { address: "8.8.4.4", family: 4 }
      ])
      assert.deepStrictEqual(yield* looked(guard.lookup, "hook.example"), [{ address: "8.8.4.4", family: 4 }])
      const { server: inside } = yield* dnsServer(["10.0.0.1"])
      const refusing = outboundGuard([], publicLookup([inside]), { by: "user" })
      assert.strictEqual(yield* looked(refusing.lookup, "hook.example"), OUTBOUND_REFUSED)
    }))

  it.live(
    "are given up when their server is silent, and take no thread that other look-ups wait for",
    () =>
      Effect.gen(function*() {
        const kinds = new Set<string>()
        const hook = createHook({ init: (_, kind) => void kinds.add(kind) })
        const { server } = yield* dnsServer([])
        hook.enable()
        const code = yield* looked(publicLookup([server]), "hook.example")
        hook.disable()
        assert.strictEqual(code, "ETIMEOUT")
        assert.isFalse(kinds.has("GETADDRINFOREQWRAP"))
      }),
    30_000
  )

  it.live(
    "never go to the system's look-up, which those that the configuration names do",
    () =>
      Effect.gen(function*() {
        const kinds = new Set<string>()
        const hook = createHook({ init: (_, kind) => void kinds.add(kind) })
        const { lookup } = yield* makeUserOutboundGuard
        hook.enable()
        yield* looked(lookup, "hook.invalid")
        assert.isFalse(kinds.has("GETADDRINFOREQWRAP"))
        yield* looked(lookup, "localhost")
        hook.disable()
        assert.isTrue(kinds.has("GETADDRINFOREQWRAP"))
      }).pipe(Effect.provide(AppConfig.layerOf(testConfig({ server: { link_local_hosts_allowed: ["localhost"] } })))),
    30_000
  )
})

/**
 * The connections between runners. They are TLS 1.3 with a key that both ends know (PSK), which is derived from the installation's
 * master key. A program without the master key can neither connect nor be connected to. There are no certificates to keep.
 *
 * @internal
 */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { Runners } from "effect/cluster"
import { Effect, Layer, Redacted, type Scope } from "effect"
import { RpcClient, RpcSerialization } from "effect/rpc"
import { Socket, type SocketServer } from "effect/socket"
import type { TlsOptions } from "node:tls"
import { CLUSTER_PORTS, printHostPort } from "../config/ClusterAddress.ts"
import { ListenFailed } from "../platform/ListenFailed.ts"
import type { DerivedKey } from "../platform/SecretBox.ts"

/** What the keys of peers are derived for; another purpose gives other keys. */
export const PEER_KEYS = "cluster peers"

const TLS = {
  minVersion: "TLSv1.3",
  maxVersion: "TLSv1.3",
  // A key of both ends works with suites of this hash alone.
  ciphers: "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"
} as const

/** A peer that has not finished its handshake in so long is turned away. */
const HANDSHAKE_MS_MAX = 5_000

/** A connection to a peer is made in so long, or not. */
const OPEN_MS_MAX = 1_000

/** One message, at most; a peer that sends a larger one is closed. */
export const MESSAGE_BYTES_MAX = 4_194_304

const bytesOf = (key: DerivedKey): Uint8Array => Redacted.value(key.bytes)

/** Listens for peers that have one of `keys`. With a port it takes the first free one from there on, else any. */
export const listenForPeers = (
  keys: ReadonlyArray<DerivedKey>,
  { host, port }: { readonly host: string; readonly port: number }
): Effect.Effect<SocketServer.SocketServer["Service"], ListenFailed, Scope.Scope> => {
  const pskCallback = (_socket: unknown, identity: string) => {
    const key = keys.find(({ id }) => id === identity)
    return key === undefined ? null : bytesOf(key)
  }
  const listenAt = (tried: number) => {
    const options: TlsOptions & { host: string; port: number } = {
      ...TLS,
      pskCallback,
      handshakeTimeout: HANDSHAKE_MS_MAX,
      host,
      port: port === 0 ? 0 : port + tried
    }
    return NodeSocketServer.makeTls(options)
  }
  const from = (tried: number): ReturnType<typeof listenAt> =>
    port === 0 || tried === CLUSTER_PORTS - 1
      ? listenAt(tried)
      : Effect.catchIf(listenAt(tried), isTaken, () => from(tried + 1))
  return Effect.mapError(from(0), ({ reason: { cause } }) =>
    new ListenFailed({
      message: `cluster.host: cannot listen on ${printHostPort({ host, port })}: ` +
        `${cause instanceof Error ? cause.message : String(cause)}. It has to be an address of this machine.`
    }))
}

const isTaken = ({ reason: { cause } }: SocketServer.SocketServerError): boolean =>
  cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE"

/** How runners are called: with the first of `keys`. */
export const PeerClientLayer = (
  [first]: ReadonlyArray<DerivedKey>
): Layer.Layer<Runners.RpcClientProtocol, never, RpcSerialization.RpcSerialization> =>
  Layer.effect(Runners.RpcClientProtocol)(Effect.gen(function*() {
    const serialization = yield* RpcSerialization.RpcSerialization
    return {
      codecFor: serialization.codecFor,
      make: Effect.fnUntraced(function*({ host, port }) {
        const socket = yield* NodeSocket.makeTls({
          ...TLS,
          pskCallback: () => first === undefined ? null : { psk: bytesOf(first), identity: first.id },
          // Asked only for a certificate, of any issuer: a peer has the key and shows none.
          checkServerIdentity: () => new Error("a peer has no certificate"),
          openTimeout: OPEN_MS_MAX,
          host,
          port
        })
        return yield* RpcClient.makeProtocolSocket().pipe(
          Effect.provideService(Socket.Socket, socket),
          Effect.provideService(RpcSerialization.RpcSerialization, serialization)
        )
      })
    }
  }))

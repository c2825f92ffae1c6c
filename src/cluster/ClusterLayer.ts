/**
 * The runners of one database as a cluster: who is there, and which of them owns which shard of the accounts. Effect Cluster keeps the
 * runners in tables of the database, and a shard is owned by an advisory lock. A runner that ends loses its locks with its connections;
 * one that hangs loses them when they expire.
 */
import {
  MessageStorage,
  RunnerAddress,
  RunnerHealth,
  Runners,
  RunnerServer,
  Sharding,
  ShardingConfig,
  SqlRunnerStorage
} from "effect/cluster"
import { Effect, Layer, Option } from "effect"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { SocketServer } from "effect/socket"
import { type HostPort, printHostPort } from "../config/ClusterAddress.ts"
import { AppConfig } from "../config/Config.ts"
import { SecretBox } from "../platform/SecretBox.ts"
import { Singletons } from "../platform/Singletons.ts"
import { CLUSTER_TABLES_PREFIX, makeClusterTables } from "./ClusterTables.ts"
import type { OwnerHealth } from "./OwnerHealth.ts"
import { Owners } from "./Owners.ts"
import { listenForPeers, MESSAGE_BYTES_MAX, PEER_KEYS, PeerClientLayer } from "./PeerSockets.ts"

const figures = {
  /** A runner that does not renew its locks owns nothing after so long. */
  shardLockExpiration: "9 seconds",
  shardLockRefreshInterval: "3 seconds",
  refreshAssignmentsInterval: "1 second",
  runnerHealthCheckInterval: "3 seconds",
  /** Accounts are forgotten by rules of their own. */
  maxResidentEntities: "unbounded",
  simulateRemoteSerialization: false
} as const

/** Where this runner listens for the others, and where they find it. */
interface PeerAddress extends HostPort {
  /** None: where it listens. */
  readonly advertised: Option.Option<HostPort>
}

/** The runners of one supervisor find one another on this machine. */
const addressOf = ({ cluster }: AppConfig["Service"]): PeerAddress =>
  cluster.host !== ""
    ? { host: cluster.host, port: cluster.port, advertised: cluster.advertise }
    : { host: "127.0.0.1", port: 0, advertised: Option.none() }

/** Runners notes which runner each message goes to. */
const noted = (owners: OwnerHealth) => (runners: Runners.Runners["Service"]): Runners.Runners["Service"] => ({
  ...runners,
  send: (options) => {
    const { address, message } = options
    owners.sent(String(message.envelope.address.shardId), String(address))
    return runners.send(options)
  }
})

const ListeningLayer = Layer.unwrap(Effect.gen(function*() {
  const config = yield* AppConfig
  const secrets = yield* SecretBox
  const owners = yield* Owners
  yield* makeClusterTables
  const keys = yield* secrets.derived(PEER_KEYS)
  const { advertised, host, port } = addressOf(config)
  const server = yield* listenForPeers(keys, { host, port })
  const bound = server.address._tag === "UnixPathAddress" ? port : server.address.port
  // Further servers of this machine are reached at the ports after the first.
  const further = port === 0 ? 0 : bound - port
  const reached = Option.match(advertised, {
    onNone: () => ({ host, port: bound }),
    onSome: (first) => ({ ...first, port: first.port + further })
  })
  if (Option.isNone(config.masterKey) && host !== "127.0.0.1") {
    yield* Effect.logWarning("REALMS_MASTER_KEY is not set: servers with another key file do not hear this one")
  }
  const runnerAddress = Option.some(RunnerAddress.make(reached.host, reached.port))
  yield* Effect.logInfo(`other servers reach this one at ${printHostPort(reached)}`)
  const Sharded = Layer.unwrap(
    Effect.map(
      Runners.Runners,
      (runners) => Sharding.layer.pipe(Layer.provide(Layer.succeed(Runners.Runners, noted(owners)(runners))))
    )
  )
  return RunnerServer.layer.pipe(
    Layer.provideMerge(Sharded),
    Layer.provide(RpcServer.layerProtocolSocketServer),
    Layer.provide(RunnerHealth.layerPing),
    Layer.provide(Runners.layerRpc),
    Layer.provide(PeerClientLayer(keys)),
    Layer.provide(SqlRunnerStorage.layerStorage({ prefix: CLUSTER_TABLES_PREFIX })),
    Layer.provide(ShardingConfig.layer({ ...figures, runnerAddress })),
    Layer.provide(RpcSerialization.layerSchemaBinary({ maxFrameSize: MESSAGE_BYTES_MAX })),
    Layer.provide(MessageStorage.layerNoop),
    Layer.provide(Layer.succeed(SocketServer.SocketServer, server))
  )
}))

const SingletonsLayer = Layer.effect(Singletons)(
  Effect.map(Sharding.Sharding, (sharding) => Singletons.of((name, work) => sharding.registerSingleton(name, work)))
)

/** The cluster of this runner. */
export const ClusterLayer = SingletonsLayer.pipe(
  Layer.provideMerge(ListeningLayer),
  Layer.provideMerge(Owners.layer)
)

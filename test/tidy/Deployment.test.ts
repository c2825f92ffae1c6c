/**
 * What `docs/deployment` and the compose files say of one another and of the server: names that must be there, numbers that must agree.
 * No container engine, cluster or load balancer is needed; whether nginx and Caddy do what they should is tested with them.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Yaml } from "effect/encoding"
import { existsSync } from "node:fs"
import { join, normalize } from "node:path"
import { load } from "../../src/config/Config.ts"
import { ClientLimits } from "../../src/http/ClientLimits.ts"
import { readText } from "./SourceFiles.ts"

const root = join(import.meta.dirname, "../..")

const Texts = Schema.Record(Schema.String, Schema.String)

const Compose = Schema.Struct({
  services: Schema.Record(
    Schema.String,
    Schema.Struct({
      image: Schema.String,
      build: Schema.optionalKey(Schema.String),
      depends_on: Schema.optionalKey(Schema.Record(Schema.String, Schema.Struct({ condition: Schema.String }))),
      environment: Schema.optionalKey(Texts),
      healthcheck: Schema.optionalKey(Schema.Unknown),
      ports: Schema.optionalKey(Schema.Array(Schema.String)),
      volumes: Schema.Array(Schema.String),
      stop_grace_period: Schema.String
    })
  ),
  volumes: Schema.Record(Schema.String, Schema.Null)
})

const composeFiles = ["docker-compose.yml", "docs/deployment/compose/single.yml"].map((path) => ({
  path,
  folder: path.slice(0, path.lastIndexOf("/") + 1),
  text: readText(path),
  project: Schema.decodeUnknownSync(Compose)(Yaml.parse(readText(path)))
}))

/** Names of variables in a text, `${NAME:-default}` and such. */
const variablesIn = (
  text: string
): ReadonlyArray<string> => [...new Set([...text.matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1] ?? ""))]

const Labels = Texts
const Probe = Schema.Struct({
  httpGet: Schema.Struct({ path: Schema.String, port: Schema.String }),
  periodSeconds: Schema.Number,
  failureThreshold: Schema.Number
})

const Resource = Schema.Struct({
  kind: Schema.String,
  metadata: Schema.Struct({ name: Schema.String, labels: Schema.optionalKey(Labels) }),
  spec: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
})

const Workload = Schema.Struct({
  replicas: Schema.Number,
  selector: Schema.Struct({ matchLabels: Labels }),
  template: Schema.Struct({
    metadata: Schema.Struct({ labels: Labels }),
    spec: Schema.Struct({
      terminationGracePeriodSeconds: Schema.Number,
      securityContext: Schema.Struct({ runAsNonRoot: Schema.Literal(true) }),
      containers: Schema.NonEmptyArray(Schema.Struct({
        securityContext: Schema.Struct({
          allowPrivilegeEscalation: Schema.Literal(false),
          readOnlyRootFilesystem: Schema.Literal(true)
        }),
        volumeMounts: Schema.Array(Schema.Struct({ name: Schema.String })),
        resources: Schema.Struct({ requests: Schema.Unknown, limits: Schema.Unknown })
      })),
      volumes: Schema.Array(
        Schema.Struct({ name: Schema.String, configMap: Schema.optionalKey(Schema.Struct({ name: Schema.String })) })
      )
    })
  })
})

const Probed = Schema.Struct({
  template: Schema.Struct({
    spec: Schema.Struct({
      containers: Schema.NonEmptyArray(
        Schema.Struct({ startupProbe: Probe, livenessProbe: Probe, readinessProbe: Probe })
      )
    })
  })
})

const Selecting = Schema.Struct({ selector: Schema.Union([Labels, Schema.Struct({ matchLabels: Labels })]) })

const Kustomization = Schema.Struct({
  namespace: Schema.String,
  resources: Schema.Array(Schema.String),
  configMapGenerator: Schema.Array(Schema.Struct({ name: Schema.String, files: Schema.Array(Schema.String) }))
})

const kustomization = Schema.decodeUnknownSync(Kustomization)(
  Yaml.parse(readText("docs/deployment/kustomization.yaml"))
)

const resources = kustomization.resources.flatMap((path) =>
  readText(`docs/deployment/${path}`).split(/^---$/m).map((text) =>
    Schema.decodeUnknownSync(Resource)(Yaml.parse(text))
  )
)

const specOf = (kind: string, name: string): unknown =>
  resources.find((resource) => resource.kind === kind && resource.metadata.name === name)?.spec

const runners = Schema.decodeUnknownSync(Workload)(specOf("StatefulSet", "realms"))
const probes = Schema.decodeUnknownSync(Probed)(specOf("StatefulSet", "realms")).template.spec.containers[0]
const nginx = Schema.decodeUnknownSync(Workload)(specOf("Deployment", "realms-balancer"))

/** Servers in a list of runners for nginx. */
const serversIn = (path: string) =>
  [...readText(path).matchAll(/^server (\S+):(\d+) (?:resolve )?(.*);$/gm)].map(([, name = "", port, options]) => ({
    name,
    port,
    options
  }))

const loadFile = (path: string) => Effect.provide(load({ cwd: root, env: { REALMS_CONFIG: path } }), NodeServices.layer)

describe("deployment", () => {
  for (const { folder, path, project, text } of composeFiles) {
    it.effect(`${path} names what there is`, () =>
      Effect.gen(function*() {
        const { server } = yield* loadFile("config.yaml")
        const header = text.slice(0, text.indexOf("\nname:"))
        const main = composeFiles[0]?.text ?? ""
        for (const name of variablesIn(text)) {
          assert.include(path === "docker-compose.yml" ? header : main, name, "a variable that nobody is told of")
        }
        for (const [name, service] of Object.entries(project.services)) {
          for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
            const known = project.services[other]
            assert.isDefined(known, `${name} depends on ${other}`)
            // The image of Realms has a check of its own.
            if (condition === "service_healthy") {
              assert.isTrue(known?.healthcheck !== undefined || known?.image === "realms")
            }
          }
          for (const volume of service.volumes) {
            const [source = ""] = volume.split(":")
            if (source.startsWith(".")) assert.isTrue(existsSync(join(root, folder, source)), `${name}: ${source}`)
            else assert.isTrue(source in project.volumes, `${name}: ${source}`)
          }
          if (service.build !== undefined) {
            assert.isTrue(existsSync(join(root, folder, service.build, "Dockerfile")), name)
          }
          assert.isAbove(Number.parseInt(service.stop_grace_period, 10), server.shutdownGraceSeconds, name)
        }
      }))
  }

  it("gives the runners of docker-compose.yml one database, one key and one folder, and nginx their names", () => {
    const found = Object.entries(composeFiles[0]?.project.services ?? {}).filter(([, { image }]) => image === "realms")
    assert.deepStrictEqual(
      serversIn("docs/deployment/nginx/runners.compose.conf").map(({ name }) => name),
      found.map(([name]) => name)
    )
    const [[, first], ...others] = [found[0] ?? ["", undefined], ...found.slice(1)]
    assert.isAbove(others.length, 0)
    for (const [name, other] of others) {
      assert.strictEqual(other.environment?.["REALMS_CLUSTER_HOST"], name)
      assert.deepStrictEqual({ ...other.environment, REALMS_CLUSTER_HOST: "" }, {
        ...first?.environment,
        REALMS_CLUSTER_HOST: ""
      })
      assert.deepStrictEqual(other.volumes, first?.volumes)
    }
    assert.isTrue(found.every(([, { ports }]) => ports === undefined), "runners are reached through nginx alone")
  })

  it("treats runners alike in every list of nginx", () => {
    const lists = ["runners.conf", "runners.compose.conf"].map((name) => serversIn(`docs/deployment/nginx/${name}`))
    const options = [...lists.flat(), ...serversIn("docs/deployment/kubernetes/runners.conf")].map((server) =>
      server.options
    )
    assert.isAbove(options.length, 6)
    assert.deepStrictEqual([...new Set(options)], ["max_fails=1 fail_timeout=5s"])
  })

  it.effect("gives nginx and Caddy the server's own bounds", () =>
    Effect.gen(function*() {
      const { server } = yield* loadFile("config.yaml")
      const limits = yield* ClientLimits
      const nginxText = readText("docs/deployment/nginx/nginx.conf")
      const caddyText = readText("docs/deployment/Caddyfile")
      const number = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN)
      assert.strictEqual(number(nginxText, /client_max_body_size (\d+);/), server.maxBodyBytes)
      assert.strictEqual(number(caddyText, /max_size (\d+) /), server.maxBodyBytes)
      // A connection that the server closes first may be closed under a call.
      const upstream = /upstream realms \{[\s\S]*?\n {4}\}|upstream realms \{[\s\S]*?\n {2}\}/.exec(nginxText)?.[0] ??
        ""
      assert.isBelow(number(upstream, /keepalive_timeout (\d+)s;/) * 1_000, limits.keepAliveTimeoutMs)
      assert.isBelow(number(caddyText, /keepalive (\d+)s/) * 1_000, limits.keepAliveTimeoutMs)
      // A client is gone when the server says so, not when nginx does.
      assert.isAtLeast(number(nginxText, /send_timeout (\d+)s;/) * 1_000, limits.blindStalledMs)
      assert.isAbove(number(caddyText, /grace_period (\d+)s/), server.shutdownGraceSeconds)
    }))

  it("has every file that kustomization.yaml names", () => {
    const names = [
      ...kustomization.resources,
      ...kustomization.configMapGenerator.flatMap(({ files }) => files.map((file) => file.split("=").at(-1) ?? ""))
    ]
    assert.deepStrictEqual(names.filter((name) => !existsSync(join(root, "docs/deployment", normalize(name)))), [])
    assert.isTrue(
      resources.some(({ kind, metadata }) => kind === "Namespace" && metadata.name === kustomization.namespace)
    )
  })

  it("selects pods that there are", () => {
    const pods = [runners, nginx].map(({ template }) => template.metadata.labels)
    const isOf = (labels: typeof Labels.Type) => (pod: typeof Labels.Type) =>
      Object.entries(labels).every(([name, value]) => pod[name] === value)
    const selecting = resources.filter(({ kind }) => ["Service", "PodDisruptionBudget"].includes(kind))
    assert.strictEqual(selecting.length, 4)
    for (const { kind, metadata, spec } of selecting) {
      const { selector } = Schema.decodeUnknownSync(Selecting)(spec)
      const labels = Schema.is(Schema.Struct({ matchLabels: Labels }))(selector) ? selector.matchLabels : selector
      assert.strictEqual(pods.filter(isOf(labels)).length, 1, `${kind} ${metadata.name}`)
    }
    for (const workload of [runners, nginx]) {
      assert.deepStrictEqual(workload.selector.matchLabels, workload.template.metadata.labels)
      const { containers, volumes } = workload.template.spec
      const maps = volumes.flatMap(({ configMap }) => configMap === undefined ? [] : [configMap.name])
      assert.isTrue(maps.every((name) => kustomization.configMapGenerator.some((map) => map.name === name)))
      const mounted = containers[0].volumeMounts.map(({ name }) => name)
      const given = [...volumes.map(({ name }) => name), ...(workload === runners ? ["outbox"] : [])]
      assert.deepStrictEqual(mounted.toSorted(), given.toSorted())
    }
  })

  it("names every runner of the StatefulSet to nginx", () => {
    const pods = Array.from(
      { length: runners.replicas },
      (_, index) => `realms-${index}.realms-runners.${kustomization.namespace}.svc.cluster.local`
    )
    assert.deepStrictEqual(serversIn("docs/deployment/kubernetes/runners.conf").map(({ name }) => name), pods)
  })

  it.effect("leaves pods and services time to finish open calls, and asks for paths that there are", () =>
    Effect.gen(function*() {
      const { server } = yield* loadFile("docs/deployment/kubernetes/config.yaml")
      for (const { template } of [runners, nginx]) {
        assert.isAbove(template.spec.terminationGracePeriodSeconds, server.shutdownGraceSeconds + 10)
      }
      assert.strictEqual(probes.livenessProbe.httpGet.path, "/healthz")
      assert.strictEqual(probes.readinessProbe.httpGet.path, "/readyz")
      assert.isAbove(probes.startupProbe.periodSeconds * probes.startupProbe.failureThreshold, 120)
      const unit = readText("docs/deployment/systemd/realms.service")
      const shipped = yield* loadFile("config.yaml")
      assert.isAbove(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]), shipped.server.shutdownGraceSeconds)
    }))
})

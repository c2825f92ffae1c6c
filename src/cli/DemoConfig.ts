/**
 * The configuration of the demo: a scratch folder for its data, one channel - the simulated upstream -
 * and the simulated payment providers. It is written to a
 * file and read back as any other, so that `REALMS_CONFIG` lets every command look at the running demo.
 */
import { Effect, FileSystem } from "effect"
import { join } from "node:path"
import { load } from "../config/Config.ts"

/** Where the simulated upstream listens and what it asks for. */
export interface DemoUpstream {
  /** With the path that an OpenAI SDK expects, `/v1`. */
  readonly baseUrl: string
  readonly apiKey: string
}

/** Where the simulated payment providers listen, and what they know the gateway by. */
export interface DemoProviders {
  readonly epay: { readonly url: string; readonly pid: string; readonly key: string }
  readonly stripe: { readonly url: string; readonly secretKey: string; readonly webhookSecret: string }
}

const models = [
  {
    id: "gpt-4o-mini",
    vendor: "OpenAI",
    description: "Small, fast and cheap: summaries, extraction and everyday chats.",
    capabilities: ["tools", "structured_output", "vision"],
    input_usd_per_1m: "0.15",
    cached_input_usd_per_1m: "0.075",
    output_usd_per_1m: "0.60",
    context_tokens: 128_000,
    max_output_tokens: 16_384
  },
  {
    id: "gpt-4o",
    vendor: "OpenAI",
    description: "An all-rounder that reads images and calls tools.",
    capabilities: ["tools", "structured_output", "vision", "files"],
    input_usd_per_1m: "2.50",
    cached_input_usd_per_1m: "1.25",
    output_usd_per_1m: "10.00",
    context_tokens: 128_000,
    max_output_tokens: 16_384
  },
  {
    id: "o4-mini",
    vendor: "OpenAI",
    description: "Thinks before it answers: mathematics, code and planning.",
    capabilities: ["tools", "structured_output"],
    input_usd_per_1m: "1.10",
    cached_input_usd_per_1m: "0.275",
    output_usd_per_1m: "4.40",
    context_tokens: 200_000,
    max_output_tokens: 100_000,
    reasoning: true
  }
]

export const basicPlan = {
  code: "basic",
  name: "Basic",
  description_en: "For everyday work: chat, coding and drafts.",
  description_zh: "适合日常使用：对话、编程与写作。",
  recommended: true,
  position: 1,
  price_cny: "12.00",
  duration_days: 30,
  limit_5h_usd: "6",
  limit_7d_usd: "20",
  limit_30d_usd: "80"
}

/** The document, as config.yaml would have it. Port 0 takes any free port. */
export const demoDocument = (options: {
  readonly folder: string
  readonly port: number
  readonly upstream: DemoUpstream
  readonly providers: DemoProviders
  /** Once it is known. */
  readonly publicUrl?: string
}) => ({
  server: {
    host: "127.0.0.1",
    port: options.port,
    shutdown_grace_seconds: 2,
    ...(options.publicUrl === undefined ? {} : { public_url: options.publicUrl })
  },
  data_dir: join(options.folder, "data"),
  channels: [{
    name: "simulator",
    base_url: options.upstream.baseUrl,
    api_key: options.upstream.apiKey,
    models: Object.fromEntries(models.map(({ id }) => [id, id]))
  }],
  models,
  plans: [basicPlan, {
    // So small that a few calls fill its window: what comes after is paid from the balance.
    code: "tiny",
    name: "Tiny",
    description_en: "To see what happens when a plan is used up.",
    description_zh: "用于体验套餐额度用完后的情形。",
    position: 2,
    price_cny: "1.00",
    duration_days: 30,
    limit_5h_usd: "0.0004"
  }],
  payment: {
    epay: {
      enabled: true,
      gateway: options.providers.epay.url,
      partner_id: options.providers.epay.pid,
      key: options.providers.epay.key
    },
    stripe: {
      enabled: true,
      secret_key: options.providers.stripe.secretKey,
      webhook_secret: options.providers.stripe.webhookSecret,
      api_base: options.providers.stripe.url
    }
  },
  log: { level: "warn" }
})

/** Writes the file into the folder and loads it, deaf to the environment: nothing outside can turn the demo online. */
export const writeDemoConfig = Effect.fn("DemoConfig.write")(
  function*(document: ReturnType<typeof demoDocument>, folder: string) {
    const files = yield* FileSystem.FileSystem
    const path = join(folder, "config.yaml")
    // JSON is YAML.
    yield* files.writeFileString(path, `${JSON.stringify(document, null, 2)}\n`, { mode: 0o600 })
    return { path, config: yield* load({ cwd: folder, env: {} }) }
  }
)

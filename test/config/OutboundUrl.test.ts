import { assert, describe, it } from "@effect/vitest"
import type { LookupAddress } from "node:dns"
import type { LookupFunction } from "node:net"
import {
  baseUrlOf,
  OUTBOUND_REFUSED,
  outboundGuard,
  type OutboundProblem,
  shownUrl,
  withoutCredentials
} from "../../src/config/OutboundUrl.ts"

/** A resolver that knows these addresses and no others. */
const resolving = (addresses: ReadonlyArray<LookupAddress>): LookupFunction => (_host, options, callback) => {
  const [first] = addresses
  if (options.all === true || first === undefined) callback(null, [...addresses])
  else callback(null, first.address, first.family)
}

const look = (lookup: LookupFunction, host: string, all: boolean) => {
  const answers: Array<unknown> = []
  lookup(host, { all }, (error, address) => answers.push(error === null ? address : error.code))
  return answers
}

describe("OutboundUrl", () => {
  const guard = outboundGuard([])

  it("takes http(s) on any network that people run upstreams in, and nothing else", () => {
    const table: ReadonlyArray<readonly [url: string, problem: OutboundProblem | undefined]> = [
      ["https://api.openai.com/v1", undefined],
      ["http://127.0.0.1:8000/v1", undefined],
      ["http://localhost:11434/v1", undefined],
      ["http://[::1]:8000/v1", undefined],
      ["http://10.0.0.5/v1", undefined],
      ["http://192.168.1.9", undefined],
      ["http://172.16.0.1", undefined],
      ["http://[fd12:3456::1]/v1", undefined],
      ["http://100.64.0.1/v1", undefined],
      ["http://vllm.internal/v1", undefined],
      ["", "url"],
      ["api.openai.com/v1", "url"],
      ["ftp://example.com", "url"],
      ["file:///etc/passwd", "url"],
      ["javascript:alert(1)", "url"],
      ["http:169.254.169.254", "url"],
      ["https://", "url"],
      ["http://300.1.1.1/", "url"],
      [`https://example.com/${"a".repeat(2_000)}`, "url"],
      ["https://user@example.com", "credentials"],
      ["https://user:secret@example.com", "credentials"],
      ["https://example.com/v1?api-version=2026-01-01", undefined],
      ["https://example.com/v1?a=1&monkey=2&max_tokens=3&key_id=4", undefined],
      ["https://example.com/v1?", undefined],
      ["https://example.com/v1?key=1", "secret"],
      ["https://example.com/v1?api-version=1&Api_Key=1", "secret"],
      ["https://example.com/v1?APIKEY", "secret"],
      ["https://example.com/v1?subscription-key=1", "secret"],
      ["https://example.com/v1?accessToken=1", "secret"],
      ["https://example.com/v1?access_token=1", "secret"],
      ["https://example.com/v1?t%6Fken=1", "secret"],
      ["https://example.com/v1?client_secret=1", "secret"],
      ["https://example.com/v1?Password=1", "secret"],
      ["https://example.com/v1?sv=1&sig=1", "secret"],
      ["https://example.com/v1?X-Amz-Signature=1", "secret"],
      ["https://example.com/v1#x", "fragment"],
      ["https://example.com/v1#", "fragment"],
      ["https://example.com/v1?api-version=1#", "fragment"],
      ["http://169.254.169.254/v1?api-version=1", "forbidden"],
      ["http://169.254.169.254/latest/meta-data", "forbidden"],
      ["http://169.254.0.1", "forbidden"],
      ["http://2852039166/", "forbidden"],
      ["http://0xa9fea9fe/", "forbidden"],
      ["http://0251.0376.0251.0376/", "forbidden"],
      ["http://169.254.43518/", "forbidden"],
      ["http://１６９.254.169.254/", "forbidden"],
      ["http://169.254.169.254./", "forbidden"],
      ["http://[::ffff:169.254.169.254]/", "forbidden"],
      ["http://[::ffff:a9fe:a9fe]/", "forbidden"],
      ["http://[::169.254.169.254]/", "forbidden"],
      ["http://[64:ff9b::a9fe:a9fe]/", "forbidden"],
      ["http://[2002:a9fe:a9fe::1]/", "forbidden"],
      ["http://[fe80::1]/", "forbidden"],
      ["http://[febf::1]/", "forbidden"],
      ["http://[fd00:ec2::254]/", "forbidden"],
      ["http://100.100.100.200/", "forbidden"],
      ["http://168.63.129.16/", "forbidden"],
      ["http://metadata.google.internal/computeMetadata/v1", "forbidden"],
      ["http://METADATA.google.internal./", "forbidden"],
      ["http://metadata/", "forbidden"],
      ["http://instance-data/", "forbidden"],
      ["http://0.0.0.0:8080", "forbidden"],
      ["http://0/", "forbidden"],
      ["http://[::]/", "forbidden"],
      ["http://[::ffff:0.0.0.0]/", "forbidden"],
      ["http://224.0.0.1/", "forbidden"],
      ["http://255.255.255.255/", "forbidden"],
      ["http://[ff02::1]/", "forbidden"]
    ]
    for (const [url, problem] of table) assert.strictEqual(guard.problemOf(url), problem, url)
  })

  it("keeps the query of a base URL, and shows it without credentials", () => {
    const kept = [
      ["https://example.com/v1//", "https://example.com/v1"],
      ["https://example.com/v1/?", "https://example.com/v1"],
      ["https://example.com/v1/?path=/a/", "https://example.com/v1?path=/a/"]
    ] as const
    for (const [typed, text] of kept) assert.strictEqual(baseUrlOf(typed), text)
    const shown = [
      ["https://user:canary@example.com/v1/?api-version=1", "https://example.com/v1?api-version=1"],
      ["HTTPS:/canary@example.com/v1", "https://example.com/v1"],
      ["https://example.com/v1?api-version=1&KEY=canary&b=%2F", "https://example.com/v1?api-version=1&b=%2F"],
      ["https://example.com/v1?sig=canary&sig=canary#canary", "https://example.com/v1"],
      ["https://example.com/v1#?token=canary", "https://example.com/v1"],
      ["canary", ""]
    ] as const
    for (const [text, seen] of shown) assert.strictEqual(shownUrl(text), seen)
    assert.strictEqual(withoutCredentials("example.com/v1/?key=canary&a=@"), "example.com/v1/?a=@")
    assert.strictEqual(withoutCredentials(" https://a/v1@x?b "), " https://a/v1@x?b ")
  })

  it("takes what the configuration names, however it is written", () => {
    const allowing = outboundGuard(["169.254.10.5", "fe80:0::0001", "metadata"])
    for (const host of ["169.254.10.5", "2851998213", "[::ffff:10.0.0.1]", "[fe80::1]", "metadata", "Metadata."]) {
      assert.isUndefined(allowing.problemOf(`http://${host}/v1`), host)
    }
    for (const host of ["169.254.10.6", "[fe80::2]", "metadata.google.internal"]) {
      assert.strictEqual(allowing.problemOf(`http://${host}/v1`), "forbidden", host)
    }
  })

  it("takes only public addresses from users", () => {
    const ofUsers = outboundGuard([], resolving([]), { by: "user" })
    const outside = [
      "::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8 ::ffff:0:0:0",
      "::1 ::7f00:1 ::ffff:10.0.0.1 64:ff9b::10.0.0.1 64:ff9b:1::1 2002:a00:1::1",
      "100::1 100:0:0:1::1 1ff::1 200::1 3ff::1 400::1 7ff::1 800::1 fff::1 1000::1 1fff::1",
      "4000::1 5f00::1 7fff::1 8000::1 c000::1 fc00::1 fd12::1 fe80::1 fec0::1 ff02::1",
      "2001::1 2001:10::1 2001:1ff::1 2001:db8::1 3fff::1 3fff:fff::1"
    ].flatMap((line) => line.split(" ").map((address) => `[${address}]`))
    for (const host of [...outside, "10.0.0.1", "127.0.0.1", "192.168.1.1", "100.64.0.1", "240.0.0.1"]) {
      assert.strictEqual(ofUsers.problemOf(`https://${host}/`), "forbidden", host)
    }
    const inside = [
      "2000::1",
      "2001:200::1",
      "2001:4860:4860::8888",
      "2606:4700::1",
      "2a00:1450::1",
      "3ffe::1",
      "3fff:1000::1"
    ]
    const standing = ["::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]
    for (
      const host of [...[...inside, ...standing].map((address) => `[${address}]`), "8.8.8.8", "1.1.1.1", "172.32.0.1"]
    ) {
      assert.isUndefined(ofUsers.problemOf(`https://${host}/`), host)
    }
    const found = [{ address: "4000::1", family: 6 }, { address: "2606:4700::1", family: 6 }]
    const { lookup } = outboundGuard([], resolving(found), { by: "user" })
    assert.deepStrictEqual(look(lookup, "hook.example", true), [[found[1]]])
    // Where root says so, they are as good as others.
    assert.isUndefined(outboundGuard([]).problemOf("https://[fd12::1]/"))
  })

  it("does not resolve a name to what is not called", () => {
    const metadata = { address: "169.254.169.254", family: 4 }
    const fine = { address: "10.0.0.5", family: 4 }
    const local = { address: "fe80::1%eth0", family: 6 }
    const rebound = outboundGuard(["allowed.example"], resolving([metadata])).lookup
    assert.deepStrictEqual(look(rebound, "upstream.example", false), [OUTBOUND_REFUSED])
    assert.deepStrictEqual(look(rebound, "upstream.example", true), [OUTBOUND_REFUSED])
    assert.deepStrictEqual(look(rebound, "allowed.example", false), ["169.254.169.254"])
    const mixed = outboundGuard([], resolving([metadata, fine, local])).lookup
    assert.deepStrictEqual(look(mixed, "upstream.example", true), [[fine]])
    assert.deepStrictEqual(look(mixed, "metadata.google.internal", true), [OUTBOUND_REFUSED])
    assert.deepStrictEqual(look(outboundGuard([], resolving([fine])).lookup, "upstream.example", false), ["10.0.0.5"])
    const unknown: LookupFunction = (_host, _options, callback) => callback(new Error("ENOTFOUND"), "", 0)
    assert.deepStrictEqual(look(outboundGuard([], unknown).lookup, "upstream.example", false), [undefined])
  })
})

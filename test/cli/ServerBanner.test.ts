import { assert, describe, it } from "@effect/vitest"
import { bannerOf, type ServerFacts } from "../../src/cli/ServerBanner.ts"

const facts: ServerFacts = {
  url: "https://realms.example.com",
  listens: "http://127.0.0.1:8080",
  dataDir: "./data",
  runners: 1,
  pid: 42,
  externalDatabase: false,
  setup: undefined
}

describe("the banner of a start", () => {
  it("says where the server is, and nothing of runners where one process serves alone", () => {
    const banner = bannerOf(facts)
    for (const text of ["https://realms.example.com/v1", "http://127.0.0.1:8080", "./data", "embedded PostgreSQL"]) {
      assert.include(banner, text)
    }
    assert.notInclude(banner, "Runners")
    assert.notInclude(banner, "administrator")
  })

  it("says how runners are replaced, and how to make the first administrator", () => {
    const banner = bannerOf({
      ...facts,
      runners: 4,
      setup: { url: "https://realms.example.com/setup/x", hoursMax: 24 }
    })
    assert.match(banner, /Runners +4 processes; kill -HUP 42 replaces them one by one/)
    assert.include(banner, "https://realms.example.com/setup/x")
    assert.include(banner, "24 hours")
  })
})

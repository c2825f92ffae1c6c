import { assert, describe, it } from "@effect/vitest"
import { apiPathOf } from "../../../src/http/v1/ApiPath.ts"

describe("apiPathOf", () => {
  it.each([
    ["/v1/models", "/v1/models"],
    ["/v1/models?limit=100", "/v1/models"],
    ["/v1/models#all", "/v1/models"],
    ["/v1/models/", "/v1/models"],
    ["/v1//models", "/v1/models"],
    ["//v1///chat/completions/?api-version=1", "/v1/chat/completions"],
    ["/v1/v1/chat/completions", "/v1/chat/completions"],
    ["/v1//v1/v1/models", "/v1/models"],
    ["http://realms.example:8080/v1/models?a=http://b//c", "/v1/models"],
    ["/v1/models/vendor/m", "/v1/models/vendor/m"],
    ["/v1/models/vendor%2F%2Fm", "/v1/models/vendor%2F%2Fm"],
    ["/v1/models/v1/m", "/v1/models/v1/m"],
    ["/dashboard/billing/usage?start_date=2026-01-01", "/dashboard/billing/usage"],
    ["/v1/", "/v1/"],
    ["/v1/v1/", "/v1/"]
  ])("reads %s as %s", (url, path) => {
    assert.strictEqual(apiPathOf(url), path)
  })

  it.each([
    undefined,
    "",
    "/",
    "*",
    "/v1",
    "/v1x/models",
    "/models",
    "/a/v1/models",
    "//host/v1/models",
    "/?/v1/models"
  ])(
    "leaves %s to the pages",
    (url) => {
      assert.isUndefined(apiPathOf(url))
    }
  )
})

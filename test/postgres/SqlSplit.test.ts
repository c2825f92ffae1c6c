import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { splitSql } from "../../src/postgres/SqlSplit.ts"

const cases: ReadonlyArray<readonly [title: string, text: string, statements: ReadonlyArray<string>]> = [
  ["nothing", " \n -- only a comment;\n/* and; this */ ;; ", []],
  ["two statements", "SELECT 1;\nSELECT 2", ["SELECT 1", "SELECT 2"]],
  ["a string", "SELECT ';''; ' ; SELECT 2", ["SELECT ';''; '", "SELECT 2"]],
  ["a backslash ends no plain string", "SELECT '\\'; SELECT 2", ["SELECT '\\'", "SELECT 2"]],
  ["an escape string", "SELECT E'\\';' ; SELECT e'a;\\\\'", ["SELECT E'\\';'", "SELECT e'a;\\\\'"]],
  ["a quoted name", 'SELECT "a;""b" ; SELECT 2', ['SELECT "a;""b"', "SELECT 2"]],
  ["comments inside", "SELECT /* ; /* ; */ ; */ 1 -- ;\n + 1; SELECT 2", [
    "SELECT /* ; /* ; */ ; */ 1 -- ;\n + 1",
    "SELECT 2"
  ]],
  ["dollar quotes", "DO $$ BEGIN x; END $$; SELECT 2", ["DO $$ BEGIN x; END $$", "SELECT 2"]],
  ["tagged dollar quotes", "DO $f$ a; $$ b; $$ $g$ ; $f$; SELECT 2", ["DO $f$ a; $$ b; $$ $g$ ; $f$", "SELECT 2"]],
  ["a dollar inside a name", "SELECT a$b$; SELECT c$b$", ["SELECT a$b$", "SELECT c$b$"]],
  ["parameters", "SELECT $1; SELECT $2", ["SELECT $1", "SELECT $2"]],
  ["an atomic body", "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 3; END; SELECT 4", [
    "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 3; END",
    "SELECT 4"
  ]],
  ["a transaction is no atomic body", "BEGIN; SELECT 1; END; SELECT 2", ["BEGIN", "SELECT 1", "END", "SELECT 2"]]
]

describe("SqlSplit", () => {
  for (const [title, text, statements] of cases) {
    it(title, () => assert.deepStrictEqual(splitSql(text), statements))
  }

  it.prop(
    "joined statements come apart again",
    [Schema.Array(Schema.Literals(["SELECT 1", "a ';' b", "DO $$ ; $$", "x /* ; */ y", '";"']))],
    ([statements]) => assert.deepStrictEqual(splitSql(statements.join(";\n")), statements)
  )
})

/**
 * Says in words what a value must be: in refusals and in the printed admission tables.
 *
 * @internal
 */
import type { Shape } from "./Admission.ts"

const quoted = (words: ReadonlyArray<string>): string => words.map((word) => `"${word}"`).join(" or ")

/** With its article: `a string`, `an integer from 1 to 128`. */
export function shapeWords(shape: Shape): string {
  switch (shape.kind) {
    case "text":
      if (shape.of !== undefined) return quoted(shape.of)
      return shape.charsMax === undefined ? "a string" : `a string of 1 to ${shape.charsMax} characters`
    case "texts":
      return shape.of === undefined ? "an array of strings" : `an array of ${quoted(shape.of)}`
    case "boolean":
      return "a boolean"
    case "number":
      return "a number"
    case "integer":
      return `an integer from ${shape.least} to ${shape.most}`
    case "scalar":
      return "a string, number or boolean"
    case "client":
      return shape.only === undefined ? "any value" : shape.only === "object" ? "an object" : "an array"
    case "object":
      return "an object"
    case "variant":
      return `an object (${shape.of().noun})`
    case "list":
      return listWords(shape.of)
    case "either":
      return alternatives(shape.of)
    case "tool":
      return "an object (tool)"
    case "imageUrl":
    case "imageData":
    case "fileData":
    case "fileKind":
    case "cacheTtl":
    case "responseId":
      return "a string"
    case "tokens":
      return "an array of integers"
    case "hosted":
      return "any value"
  }
}

const listWords = (of: Shape): string => {
  if (of.kind === "tool") return "an array of tools"
  if (of.kind === "variant") return `an array of ${of.of().noun}s`
  if (of.kind === "number") return "an array of numbers"
  return of.kind === "either" ? "an array of them" : "an array of objects"
}

const alternatives = (shapes: ReadonlyArray<Shape>): string => {
  const words = [...new Set(shapes.map(shapeWords))]
  return words.length === 1 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`
}

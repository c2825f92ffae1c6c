/**
 * How a model is called, as text to copy: by a shell and by the SDKs that most people have. An id goes in as a text of the language,
 * whatever it is.
 */
import { embeds, type SampledModel } from "../../../catalog/ModelSearch.ts"

/** What samples have in place of a key. */
export const KEY_VARIABLE = "REALMS_KEY"

export interface Snippet {
  readonly id: "curl" | "python" | "node"
  readonly code: string
}

interface Called {
  /** Without a trailing slash. */
  readonly publicUrl: string
  readonly model: SampledModel & { readonly id: string }
}

/** JSON texts are texts of Python and of JavaScript, too. */
const text = (value: string): string => JSON.stringify(value)

/** A text as one word of a shell. */
const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** A call for a shell, with the key itself or with the variable that has it. A shell reads variables only between double quotes. */
export const curlLine = ({ model, publicUrl }: Called, key?: string): string => {
  const bearer = key === undefined
    ? `"Authorization: Bearer $${KEY_VARIABLE}"`
    : shellWord(`Authorization: Bearer ${key}`)
  const [path, asked] = embeds(model)
    ? ["embeddings", { input: "Hello" }]
    : ["chat/completions", { messages: [{ role: "user", content: "Hello" }] }]
  return [
    `curl ${publicUrl}/v1/${path} \\`,
    `  -H ${bearer} \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d ${shellWord(JSON.stringify({ model: model.id, ...asked }))}`
  ].join("\n")
}

const python = ({ model, publicUrl }: Called): string =>
  [
    "# pip install openai",
    "import os",
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url=${text(`${publicUrl}/v1`)}, api_key=os.environ[${text(KEY_VARIABLE)}])`,
    ...embeds(model)
      ? [
        `answer = client.embeddings.create(model=${text(model.id)}, input="Hello")`,
        "print(answer.data[0].embedding)"
      ]
      : [
        "answer = client.chat.completions.create(",
        `    model=${text(model.id)},`,
        `    messages=[{"role": "user", "content": "Hello"}],`,
        ")",
        "print(answer.choices[0].message.content)"
      ]
  ].join("\n")

const node = ({ model, publicUrl }: Called): string =>
  [
    "// npm install openai",
    `import OpenAI from "openai"`,
    "",
    `const client = new OpenAI({ baseURL: ${text(`${publicUrl}/v1`)}, apiKey: process.env.${KEY_VARIABLE} })`,
    ...embeds(model)
      ? [
        `const answer = await client.embeddings.create({ model: ${text(model.id)}, input: "Hello" })`,
        "process.stdout.write(`${answer.data[0].embedding}\\n`)"
      ]
      : [
        "const answer = await client.chat.completions.create({",
        `  model: ${text(model.id)},`,
        `  messages: [{ role: "user", content: "Hello" }]`,
        "})",
        "process.stdout.write(`${answer.choices[0].message.content}\\n`)"
      ]
  ].join("\n")

export const snippetsOf = (called: Called): ReadonlyArray<Snippet> => [
  { id: "curl", code: curlLine(called) },
  { id: "python", code: python(called) },
  { id: "node", code: node(called) }
]

/**
 * How a model is called, as text to copy: by a shell and by the SDKs that most people have. An id goes in as a text of the language,
 * whatever it is.
 */
import { curlLine, KEY_VARIABLE, shellWord } from "./Keys.tsx"

export interface Snippet {
  readonly id: "curl" | "python" | "node"
  readonly code: string
}

interface Called {
  /** Without a trailing slash. */
  readonly publicUrl: string
  readonly model: string
  /** It turns texts into vectors. */
  readonly embeds: boolean
}

/** JSON texts are texts of Python and of JavaScript, too. */
const text = (value: string): string => JSON.stringify(value)

const curl = ({ embeds, model, publicUrl }: Called): string =>
  embeds
    ? [
      `curl ${publicUrl}/v1/embeddings \\`,
      `  -H "Authorization: Bearer $${KEY_VARIABLE}" \\`,
      `  -H 'Content-Type: application/json' \\`,
      `  -d ${shellWord(JSON.stringify({ model, input: "Hello" }))}`
    ].join("\n")
    : curlLine(publicUrl, { variable: KEY_VARIABLE }, model)

const python = ({ embeds, model, publicUrl }: Called): string =>
  [
    "# pip install openai",
    "import os",
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url=${text(`${publicUrl}/v1`)}, api_key=os.environ[${text(KEY_VARIABLE)}])`,
    ...embeds
      ? [
        `answer = client.embeddings.create(model=${text(model)}, input="Hello")`,
        "print(answer.data[0].embedding)"
      ]
      : [
        "answer = client.chat.completions.create(",
        `    model=${text(model)},`,
        `    messages=[{"role": "user", "content": "Hello"}],`,
        ")",
        "print(answer.choices[0].message.content)"
      ]
  ].join("\n")

const node = ({ embeds, model, publicUrl }: Called): string =>
  [
    "// npm install openai",
    `import OpenAI from "openai"`,
    "",
    `const client = new OpenAI({ baseURL: ${text(`${publicUrl}/v1`)}, apiKey: process.env.${KEY_VARIABLE} })`,
    ...embeds
      ? [
        `const answer = await client.embeddings.create({ model: ${text(model)}, input: "Hello" })`,
        "process.stdout.write(`${answer.data[0].embedding}\\n`)"
      ]
      : [
        "const answer = await client.chat.completions.create({",
        `  model: ${text(model)},`,
        `  messages: [{ role: "user", content: "Hello" }]`,
        "})",
        "process.stdout.write(`${answer.choices[0].message.content}\\n`)"
      ]
  ].join("\n")

export const snippetsOf = (called: Called): ReadonlyArray<Snippet> => [
  { id: "curl", code: curl(called) },
  { id: "python", code: python(called) },
  { id: "node", code: node(called) }
]

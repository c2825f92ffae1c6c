/**
 * Clients that are applications, not packages: the bodies that Cline, Cherry Studio and opencode send by default, in shape.
 */

const fileTool = {
  name: "read_file",
  description: "Reads a file of the project",
  parameters: {
    type: "object",
    properties: { path: { type: "string", description: "Relative to the project" } },
    required: ["path"],
    additionalProperties: false
  }
}

/** Cline with its native OpenAI provider: responses, with tools that OpenAI would run itself. */
export const clineBody = (model: string) => ({
  model,
  instructions: "You are Cline, a software engineer. Use one tool per message.",
  input: [
    { role: "user", content: [{ type: "input_text", text: "<task>\nRead the README\n</task>" }] },
    {
      role: "user",
      content: [{ type: "input_text", text: "<environment_details>\n# Current Mode\nACT MODE\n</environment_details>" }]
    }
  ],
  stream: true,
  tools: [
    { type: "function", ...fileTool, strict: true },
    { type: "web_search" },
    { type: "image_generation" }
  ],
  reasoning: { effort: "medium", summary: "auto" }
})

/** Cherry Studio with a provider of type OpenAI: chat completions, with a service tier. */
export const cherryStudioBody = (model: string) => ({
  model,
  messages: [
    { role: "system", content: "You are a helpful assistant." },
    {
      role: "user",
      content: [{ type: "text", text: "What is on this picture?" }, { type: "image_url", image_url: { url: PIXEL } }]
    }
  ],
  temperature: 1,
  top_p: 1,
  stream: true,
  stream_options: { include_usage: true },
  service_tier: "auto"
})

/** opencode with a custom provider: it asks for more output than many models have. */
export const opencodeBody = (model: string) => ({
  model,
  max_tokens: 32_000,
  temperature: 0,
  messages: [
    { role: "system", content: "You are opencode, an interactive CLI agent." },
    { role: "user", content: [{ type: "text", text: "Say hello" }] }
  ],
  tools: [{ type: "function", function: fileTool }],
  tool_choice: "auto",
  stream: true,
  stream_options: { include_usage: true }
})

/** A picture of one pixel. */
const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

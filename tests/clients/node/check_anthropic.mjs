// Anthropic's client for TypeScript, unchanged but for its base URL, against the stage.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";

const STAGE = JSON.parse(process.env.RINGFENCE_STAGE);
const EMAIL = "bob.builder@example.org";
const TOOL = {
  name: "weather",
  input_schema: { type: "object", properties: { city: { type: "string" } } },
};

const client = (options = {}) =>
  new Anthropic({
    baseURL: STAGE.url.replace(/\/v1$/, ""),
    apiKey: STAGE.key,
    ...options,
  });
const asked = (text, more = {}) => ({
  model: "auto",
  max_tokens: 64,
  messages: [{ role: "user", content: text }],
  ...more,
});

const refused = async (kind, call) => {
  try {
    await call();
  } catch (error) {
    assert(error instanceof kind, `${error.constructor.name}: ${error.message}`);
    return error;
  }
  assert.fail(`no ${kind.name}`);
};

const checks = {
  async whole() {
    const answer = await client().messages.create(asked(`I am ${EMAIL}`));
    assert.equal(answer.content[0].text, `You wrote: I am ${EMAIL}`);
    assert.equal(answer.stop_reason, "end_turn");
    assert.equal(answer.usage.output_tokens, 7);
  },

  async streamed() {
    const stream = client().messages.stream(asked(`I am ${EMAIL}`));
    let text = "";
    stream.on("text", (piece) => (text += piece));
    const final = await stream.finalMessage();
    assert.equal(text, `You wrote: I am ${EMAIL}`);
    assert.equal(final.content[0].text, text);
    assert.equal(final.stop_reason, "end_turn");
  },

  async toolsOverTurns() {
    for (const streamed of [false, true]) {
      const request = asked(`TOOL ${EMAIL}`, { tools: [TOOL] });
      const answer = streamed
        ? await client().messages.stream(request).finalMessage()
        : await client().messages.create(request);
      assert.equal(answer.stop_reason, "tool_use");
      const call = answer.content.find((block) => block.type === "tool_use");
      assert.deepEqual(call.input, { city: EMAIL });
      request.messages.push(
        { role: "assistant", content: answer.content },
        {
          role: "user",
          content: [{ type: "tool_result", tool_use_id: call.id, content: "rain" }],
        },
      );
      const next = await client().messages.create(request);
      assert.equal(next.content[0].text, "The tool has answered.");
    }
  },

  async modelsAndTokens() {
    const names = [];
    for await (const model of client().models.list()) names.push(model.id);
    assert(names.includes("stand-in-1"), names.join());
    const { max_tokens, ...request } = asked("hello");
    assert((await client().messages.countTokens(request)).input_tokens > 0);
  },

  async errorsHaveTheirClasses() {
    const once = client({ maxRetries: 0 });
    await refused(Anthropic.AuthenticationError, () =>
      client({ apiKey: "rf-wrong" }).messages.create(asked("hello")),
    );
    await refused(Anthropic.NotFoundError, () =>
      once.messages.create(asked("hello", { model: "unheard-of" })),
    );
    await refused(Anthropic.BadRequestError, () => once.messages.create(asked("REJECTED")));
    await refused(Anthropic.RateLimitError, () => once.messages.create(asked("LIMITED")));
    await refused(Anthropic.InternalServerError, () => once.messages.create(asked("BROKEN")));
  },

  async aTimeOutIsTheClientsOwn() {
    const begun = Date.now();
    await refused(Anthropic.APIConnectionTimeoutError, () =>
      client({ timeout: 500, maxRetries: 0 }).messages.create(asked("SLOW")),
    );
    assert(Date.now() - begun < 3000);
  },

  async aCutStreamThrows() {
    await refused(Anthropic.APIError, async () => {
      const stream = await client({ maxRetries: 0 }).messages.create(
        asked("CUT", { stream: true }),
      );
      for await (const _ of stream);
    });
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok: @anthropic-ai/sdk: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED: ${name}: ${error.stack}`);
  }
}
process.exit(failed ? 1 : 0);

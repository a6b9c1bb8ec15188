// The official Node client, unchanged but for its base URL, against the stage.
//
// Each check is a function; RINGFENCE_STAGE holds the addresses that the stage printed.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { VERSION } from "openai/version";

const STAGE = JSON.parse(process.env.RINGFENCE_STAGE);
const EMAIL = "bob.builder@example.org";
const TOOL = {
  type: "function",
  function: {
    name: "weather",
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
};

const client = (options = {}) =>
  new OpenAI({ baseURL: STAGE.url, apiKey: STAGE.key, ...options });
const said = (text) => [{ role: "user", content: text }];

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
    const answer = await client().chat.completions.create({
      model: "auto",
      messages: said(`I am ${EMAIL}`),
    });
    assert.equal(answer.choices[0].message.content, `You wrote: I am ${EMAIL}`);
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.equal(answer.usage.total_tokens, 18);
    assert(answer._request_id);
  },

  async streamed() {
    const stream = await client().chat.completions.create({
      model: "auto",
      messages: said(`I am ${EMAIL}`),
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    assert.equal(text, `You wrote: I am ${EMAIL}`);
    assert.equal(usage.completion_tokens, 7);
  },

  async theStreamHelper() {
    const stream = client().chat.completions.stream({ model: "auto", messages: said("hello") });
    assert.equal(await stream.finalContent(), "You wrote: hello");
    assert.equal((await stream.finalChatCompletion()).choices[0].finish_reason, "stop");
  },

  async toolsRunByTheHelper() {
    for (const stream of [false, true]) {
      const asked = [];
      const runner = client().chat.completions.runTools({
        model: "auto",
        stream,
        messages: said(`TOOL ${EMAIL}`),
        tools: [
          {
            type: "function",
            function: {
              ...TOOL.function,
              parse: JSON.parse,
              function: ({ city }) => {
                asked.push(city);
                return "12 degrees";
              },
            },
          },
        ],
      });
      assert.equal(await runner.finalContent(), "The tool has answered.");
      assert.deepEqual(asked, [EMAIL]);
    }
  },

  async models() {
    const names = [];
    for await (const model of client().models.list()) names.push(model.id);
    for (const name of ["auto", "stand-in-1", "gpt-4o"]) assert(names.includes(name), names);
  },

  async responses() {
    const made = await client().responses.create({ model: "auto", input: `I am ${EMAIL}` });
    assert.equal(made.output_text, `You wrote: I am ${EMAIL}`);
    assert.equal(made.status, "completed");
    assert.equal(made.store, false);
    const stream = client().responses.stream({ model: "auto", input: `I am ${EMAIL}` });
    let text = "";
    for await (const event of stream) {
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    const final = await stream.finalResponse();
    assert.equal(text, `You wrote: I am ${EMAIL}`);
    assert.equal(final.output_text, text);
    const kept = await refused(OpenAI.BadRequestError, () =>
      client().responses.create({ model: "auto", input: "hello", store: true }),
    );
    assert.equal(kept.param, "store");
  },

  async vectors() {
    const create = (input, model = "stand-in-1") => client().embeddings.create({ model, input });
    const made = await create([`I am ${EMAIL}`, "b", `I am ${EMAIL}`]);
    const [first, second, third] = made.data.map((one) => one.embedding);
    assert.deepEqual(first, third);
    assert.notDeepEqual(first, second);
    assert.equal(first.length, 3);
    const tokens = await refused(OpenAI.BadRequestError, () => create([[1, 2, 3]]));
    assert.equal(tokens.param, "input[0]");
    await refused(OpenAI.NotFoundError, () => create("a", "gpt-4o"));
  },

  async errorsHaveTheirClasses() {
    const create = (text, model = "auto", by = client({ maxRetries: 0 })) =>
      by.chat.completions.create({ model, messages: said(text) });
    const wrong = client({ apiKey: "rf-wrong" });
    const error = await refused(OpenAI.AuthenticationError, () => create("hello", "auto", wrong));
    assert.equal(error.code, "invalid_api_key");
    assert(error.requestID);
    const unknown = await refused(OpenAI.NotFoundError, () => create("hello", "unheard-of"));
    assert.equal(unknown.param, "model");
    await refused(OpenAI.BadRequestError, () => create("REJECTED"));
    await refused(OpenAI.RateLimitError, () => create("LIMITED"));
    await refused(OpenAI.InternalServerError, () => create("BROKEN"));
  },

  async aDenialIsNotSentAgain() {
    const url = "data:image/png;base64,iVBORw0KGgo=";
    const messages = [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }];
    const begun = Date.now();
    const error = await refused(OpenAI.PermissionDeniedError, () =>
      client({ maxRetries: 5 }).chat.completions.create({ model: "auto", messages }),
    );
    assert.equal(error.code, "unreadable_content");
    assert(Date.now() - begun < 1000);
  },

  async aTimeOutIsTheClientsOwn() {
    const begun = Date.now();
    await refused(OpenAI.APIConnectionTimeoutError, () =>
      client({ timeout: 500, maxRetries: 0 }).chat.completions.create({
        model: "auto",
        messages: said("SLOW"),
      }),
    );
    assert(Date.now() - begun < 3000);
  },

  async aCutStreamThrows() {
    await refused(OpenAI.APIError, async () => {
      const stream = await client({ maxRetries: 0 }).chat.completions.create({
        model: "auto",
        messages: said("CUT"),
        stream: true,
      });
      for await (const _ of stream);
    });
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok: openai ${VERSION} for Node: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED: ${name}: ${error.stack}`);
  }
}
process.exit(failed ? 1 : 0);

use ringfence_chat::{AnswerForm, Capability, ToolChoice};

use super::*;

fn read(body: &str) -> Result<Request, Malformed> {
    decode_request("r".into(), body.as_bytes())
}

#[test]
fn what_is_wrong_is_named() {
    let with = |more: &str| format!(r#"{{"model":"m","input":"a",{more}}}"#);
    let item = |item: &str| format!(r#"{{"model":"m","input":[{item}]}}"#);
    let part = |part: &str| item(&format!(r#"{{"role":"user","content":[{part}]}}"#));
    for (body, param) in [
        (r#"{"input":"a"}"#.into(), "model"),
        (r#"{"model":"","input":"a"}"#.into(), "model"),
        (r#"{"model":"m"}"#.into(), "input"),
        (r#"{"model":"m","input":[]}"#.into(), "input"),
        (r#"{"model":"m","input":null}"#.into(), "input"),
        (r#"{"model":"m","input":7}"#.into(), "input"),
        (with(r#""instructions":[]"#), "instructions"),
        (item("7"), "input[0]"),
        (item("{}"), "input[0].role"),
        (item(r#"{"role":"king","content":"a"}"#), "input[0].role"),
        (item(r#"{"role":"user"}"#), "input[0].content"),
        (item(r#"{"role":"user","content":[]}"#), "input[0].content"),
        (item(r#"{"role":"user","content":7}"#), "input[0].content"),
        (item(r#"{"type":7}"#), "input[0].type"),
        (item(r#"{"type":"function_call"}"#), "input[0]"),
        (
            item(r#"{"type":"function_call","call_id":"c","name":"f","arguments":{}}"#),
            "input[0].arguments",
        ),
        (item(r#"{"type":"function_call_output","output":"a"}"#), "input[0]"),
        (item(r#"{"type":"function_call_output","call_id":"c","output":7}"#), "input[0].output"),
        (item(r#"{"type":"reasoning","summary":"a"}"#), "input[0].summary"),
        (part("7"), "input[0].content[0]"),
        (part("{}"), "input[0].content[0].type"),
        (part(r#"{"type":"video"}"#), "input[0].content[0].type"),
        (part(r#"{"type":"refusal","refusal":"no"}"#), "input[0].content[0].type"),
        (part(r#"{"type":"input_text"}"#), "input[0].content[0]"),
        (part(r#"{"type":"input_text","text":7}"#), "input[0].content[0].text"),
        (part(r#"{"type":"input_image"}"#), "input[0].content[0]"),
        (
            part(r#"{"type":"input_image","image_url":"data:application/pdf;base64,JVBERi0="}"#),
            "input[0].content[0].image_url",
        ),
        (part(r#"{"type":"input_file"}"#), "input[0].content[0]"),
        (part(r#"{"type":"input_audio"}"#), "input[0].content[0]"),
        (with(r#""tools":{}"#), "tools"),
        (with(r#""tools":[{"type":"function"}]"#), "tools[0]"),
        (with(r#""tools":[{}]"#), "tools[0].type"),
        (with(r#""tool_choice":"some""#), "tool_choice"),
        (with(r#""tool_choice":{"type":"function"}"#), "tool_choice"),
        (with(r#""temperature":3"#), "temperature"),
        (with(r#""max_output_tokens":0"#), "max_output_tokens"),
        (with(r#""stream":"yes""#), "stream"),
        (with(r#""include":"all""#), "include"),
        (with(r#""text":{"format":{}}"#), "text.format"),
        (with(r#""text":{"format":{"type":"xml"}}"#), "text.format.type"),
        (with(r#""text":{"format":{"type":"json_schema","name":"n"}}"#), "text.format"),
        (with(r#""text":{"format":{"type":"json_schema","schema":7}}"#), "text.format.schema"),
    ] {
        let error = read(&body).expect_err(&body);
        assert_eq!(error.param.as_deref(), Some(param), "{body}: {}", error.message);
    }
}

/// Whatever makes a provider keep data, reach out, or read what is not here.
#[test]
fn stored_state_and_hosted_tools_are_refused() {
    let with = |more: &str| format!(r#"{{"model":"m","input":"a",{more}}}"#);
    let item = |kind: &str| format!(r#"{{"model":"m","input":[{{"type":"{kind}","id":"x"}}]}}"#);
    let tool = |kind: &str| with(&format!(r#""tools":[{{"type":"{kind}"}}]"#));
    let part =
        |part: &str| format!(r#"{{"model":"m","input":[{{"role":"user","content":[{part}]}}]}}"#);
    let mut refused = vec![
        (with(r#""store":true"#), "store"),
        (with(r#""background":true"#), "background"),
        (with(r#""previous_response_id":"resp_1""#), "previous_response_id"),
        (with(r#""conversation":"conv_1""#), "conversation"),
        (with(r#""conversation":{"id":"conv_1"}"#), "conversation"),
        (with(r#""prompt":{"id":"pmpt_1"}"#), "prompt"),
        (with(r#""tool_choice":{"type":"web_search"}"#), "tool_choice.type"),
        (with(r#""tool_choice":{"type":"allowed_tools","tools":[]}"#), "tool_choice.type"),
        (part(r#"{"type":"input_image","file_id":"file-1"}"#), "input[0].content[0].file_id"),
        (part(r#"{"type":"input_file","file_id":"file-1"}"#), "input[0].content[0].file_id"),
        (
            part(r#"{"type":"input_file","file_url":"https://example.org/a.pdf"}"#),
            "input[0].content[0].file_url",
        ),
    ];
    for kind in [
        "web_search",
        "web_search_preview",
        "file_search",
        "mcp",
        "computer_use_preview",
        "code_interpreter",
        "image_generation",
        "local_shell",
        "shell",
        "apply_patch",
        "custom",
    ] {
        refused.push((tool(kind), "tools[0].type"));
    }
    for kind in [
        "item_reference",
        "web_search_call",
        "file_search_call",
        "mcp_call",
        "mcp_approval_response",
        "computer_call_output",
        "code_interpreter_call",
        "image_generation_call",
        "custom_tool_call",
        "compaction",
    ] {
        refused.push((item(kind), "input[0].type"));
    }
    for (body, param) in refused {
        let error = read(&body).expect_err(&body);
        assert_eq!(error.param.as_deref(), Some(param), "{body}: {}", error.message);
    }
    for allowed in [
        r#""store":false,"background":false"#,
        r#""store":null,"conversation":null,"previous_response_id":null,"prompt":null,"background":null"#,
    ] {
        let request = read(&with(allowed)).expect(allowed);
        assert_eq!((request.needs.len(), request.optional.len()), (0, 0), "{allowed}");
    }
}

/// What a model said in several items is one message to every other dialect.
#[test]
fn what_one_side_says_is_one_turn() {
    let body = r#"{"model":"m","instructions":"i","input":[
        {"role":"user","content":"a"},
        {"role":"user","content":"b"},
        {"type":"function_call","call_id":"1","name":"f","arguments":"{}"},
        {"type":"reasoning","summary":[{"type":"summary_text","text":"r"}]},
        {"type":"function_call","call_id":"2","name":"g","arguments":"{}"},
        {"role":"assistant","content":"s"},
        {"type":"function_call_output","call_id":"2","output":"y"},
        {"type":"function_call_output","call_id":"1","output":"x"},
        {"role":"developer","content":"d"}],"user":"u"}"#;
    let request = read(body).expect("well formed");
    let roles: Vec<Role> = request.turns.iter().map(|turn| turn.role).collect();
    use Role::*;
    assert_eq!(roles, [System, User, User, Assistant, Tool, System]);
    let said: Vec<(u32, Option<&str>, &str)> = (request.segments().iter())
        .filter(|one| matches!(one.text.as_str(), "i" | "b" | "r" | "s" | "x" | "y" | "d" | "u"))
        .map(|one| (one.turn, one.tool.as_deref(), one.text.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (0, None, "i"),
            (2, None, "b"),
            (3, None, "r"),
            (3, None, "s"),
            (4, Some("g"), "y"),
            (4, Some("f"), "x"),
            (5, None, "d"),
            (6, None, "u"),
        ]
    );
    assert!(matches!(
        request.turns[3].parts[..],
        [Part::Reasoning(_), Part::Text(_), Part::ToolCall { .. }, Part::ToolCall { .. }]
    ));
    assert_eq!(request.needs, [Capability::Tools]);
}

#[test]
fn what_is_asked_stands_in_the_view() {
    let request = read(
        r#"{"model":"m","input":"a","stream":true,"max_output_tokens":5,"temperature":0.5,"top_p":0.25,
        "tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":null}],
        "tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false,
        "text":{"format":{"type":"json_object"}},"truncation":"disabled","include":[]}"#,
    );
    let request = request.expect("well formed");
    assert!(request.streamed && request.wants_usage);
    assert_eq!(request.sampling.max_tokens, Some(5));
    assert_eq!((request.sampling.temperature, request.sampling.top_p), (Some(0.5), Some(0.25)));
    assert_eq!(request.parallel_tool_calls, Some(false));
    assert_eq!(request.form, Some(AnswerForm::JsonObject));
    assert!(
        matches!(request.tool_choice, Some(ToolChoice::One(name)) if request.text(name) == "f")
    );
    assert_eq!(request.tools[0].parameters.as_deref(), Some("/tools/0/parameters"));
    assert_eq!(request.needs, [Capability::Tools, Capability::JsonObject]);
    assert_eq!(request.optional, ["parallel_tool_calls"]);
    let logprobs = read(r#"{"model":"m","input":"a","include":["message.output_text.logprobs"]}"#);
    assert_eq!(logprobs.expect("well formed").needs, [Capability::Logprobs]);
}

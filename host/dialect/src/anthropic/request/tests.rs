use ringfence_chat::{Capability, Kind, Part};

use super::*;

fn read_body(body: &str) -> Result<Request, Malformed> {
    decode_request("r".into(), body.as_bytes())
}

#[test]
fn what_is_wrong_is_named() {
    let with = |more: &str| {
        format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"a"}}],{more}}}"#
        )
    };
    let message =
        |message: &str| format!(r#"{{"model":"m","max_tokens":9,"messages":[{message}]}}"#);
    let block = |block: &str| message(&format!(r#"{{"role":"user","content":[{block}]}}"#));
    let said = |block: &str| message(&format!(r#"{{"role":"assistant","content":[{block}]}}"#));
    for (body, param) in [
        (r#"{"max_tokens":9,"messages":[{"role":"user","content":"a"}]}"#.to_owned(), "model"),
        (r#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#.to_owned(), "max_tokens"),
        (r#"{"model":"m","max_tokens":9}"#.to_owned(), "messages"),
        (r#"{"model":"m","max_tokens":9,"messages":[]}"#.to_owned(), "messages"),
        (with(r#""max_tokens":0"#), "max_tokens"),
        (with(r#""temperature":1.1"#), "temperature"),
        (with(r#""top_k":-1"#), "top_k"),
        (with(r#""system":7"#), "system"),
        (with(r#""system":[{"type":"text"}]"#), "system[0]"),
        (with(r#""stop_sequences":"a""#), "stop_sequences"),
        (with(r#""tools":[{}]"#), "tools[0]"),
        (with(r#""tools":[{"name":"f"}]"#), "tools[0]"),
        (with(r#""tools":[{"name":"f","input_schema":7}]"#), "tools[0].input_schema"),
        (with(r#""tool_choice":{}"#), "tool_choice"),
        (with(r#""tool_choice":{"type":"tool"}"#), "tool_choice"),
        (with(r#""output_format":{}"#), "output_format"),
        (message("{}"), "messages[0].role"),
        (message(r#"{"role":"tool","content":"a"}"#), "messages[0].role"),
        (message(r#"{"role":"user"}"#), "messages[0].content"),
        (message(r#"{"role":"user","content":[]}"#), "messages[0].content"),
        (message(r#"{"role":"user","content":null}"#), "messages[0].content"),
        (block("7"), "messages[0].content[0]"),
        (block("{}"), "messages[0].content[0].type"),
        (block(r#"{"type":"text","text":7}"#), "messages[0].content[0].text"),
        (block(r#"{"type":"tool_result"}"#), "messages[0].content[0].tool_use_id"),
        (block(r#"{"type":"image"}"#), "messages[0].content[0].source"),
        (block(r#"{"type":"image","source":{}}"#), "messages[0].content[0].source.type"),
        (
            block(
                r#"{"type":"image","source":{"type":"base64","media_type":"application/pdf","data":"a"}}"#,
            ),
            "messages[0].content[0].source.media_type",
        ),
        (
            block(
                r#"{"type":"image","source":{"type":"url","url":"data:application/pdf;base64,a"}}"#,
            ),
            "messages[0].content[0].source.url",
        ),
        (said(r#"{"type":"tool_use","id":"a","name":"f"}"#), "messages[0].content[0]"),
        (
            said(r#"{"type":"tool_use","id":"a","name":"f","input":"{}"}"#),
            "messages[0].content[0].input",
        ),
        (said(r#"{"type":"thinking","signature":"x"}"#), "messages[0].content[0]"),
    ] {
        let error = read_body(&body).expect_err(&body);
        assert_eq!(error.param.as_deref(), Some(param), "{body}: {}", error.message);
    }
}

/// What makes a provider reach out, or keep what it is given, is a need of its own or
/// content that no detector reads.
#[test]
fn what_reaches_out_is_needed_or_unreadable() {
    let with = |more: &str| {
        format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"a"}}],{more}}}"#
        )
    };
    for (more, need) in [
        (
            r#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#,
            Capability::HostedTools,
        ),
        (r#""tools":[{"type":"web_fetch_20250910","name":"web_fetch"}]"#, Capability::HostedTools),
        (r#""tools":[{"type":"code_execution_20250825","name":"code"}]"#, Capability::HostedTools),
        (r#""tools":[{"type":"mcp_toolset","mcp_server_name":"a"}]"#, Capability::HostedTools),
        (r#""tools":[{"type":"of_tomorrow","name":"a"}]"#, Capability::HostedTools),
        (r#""mcp_servers":[{"type":"url","url":"https://a"}]"#, Capability::HostedTools),
        (r#""container":"container_1""#, Capability::HostedTools),
        (r#""tools":[{"type":"bash_20250124","name":"bash"}]"#, Capability::UnknownContent),
        (r#""inference_geo":"eu""#, Capability::UnknownContent),
    ] {
        let request = read_body(&with(more)).expect(more);
        assert!(request.needs.contains(&need), "{more}: {:?}", request.needs);
    }
    for source in [
        r#"{"type":"url","url":"https://example.org/a.png"}"#,
        r#"{"type":"file","file_id":"file_1"}"#,
        r#"{"type":"base64","media_type":"image/png","data":"iVBO"}"#,
        r#"{"type":"of_tomorrow","where":"there"}"#,
    ] {
        let body = format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":[{{"type":"image","source":{source}}}]}}]}}"#
        );
        let request = read_body(&body).expect(source);
        assert!(request.segments().iter().any(|segment| !segment.readable), "{source}");
    }
}

#[test]
fn what_is_signed_cannot_be_changed() {
    let body = |signature: &str| {
        format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"assistant","content":[{{"type":"thinking","thinking":"ann@example.org"{signature}}}]}},{{"role":"user","content":"a"}}]}}"#
        )
    };
    for (signature, changes) in [
        (r#","signature":"EqoB""#, false),
        (r#","signature":"""#, true),
        (r#","signature":null"#, true),
        ("", true),
    ] {
        let request = read_body(&body(signature)).expect(signature);
        let thought = request.segments().iter().find(|one| one.kind == Kind::Reasoning);
        let thought = thought.expect("a thought").id;
        let changed = request.with_texts([(thought, "[EMAIL_0]".to_owned())]);
        assert_eq!(changed.is_ok(), changes, "{signature}");
    }
}

#[test]
fn system_prompts_are_the_first_turn() {
    let request = read_body(
        r#"{"messages":[{"role":"user","content":"b"}],"system":"a","model":"m","max_tokens":9}"#,
    )
    .expect("well formed");
    let roles: Vec<Role> = request.turns.iter().map(|turn| turn.role).collect();
    assert_eq!(roles, [Role::System, Role::User]);
    let [Part::Text(a), Part::Text(b)] = [&request.turns[0].parts[0], &request.turns[1].parts[0]]
    else {
        panic!("{:?}", request.turns)
    };
    for (id, text, turn, role) in [(a, "a", 0, Role::System), (b, "b", 1, Role::User)] {
        let segment = &request.segments()[id.index()];
        assert_eq!((segment.text.as_str(), segment.turn, segment.role), (text, turn, role));
    }
}

#[test]
fn a_count_needs_no_limit() {
    let body = br#"{"model":"m","messages":[{"role":"user","content":"a text of some length"}]}"#;
    let counted = decode_prompt(body).expect("well formed").input_tokens;
    assert_eq!(counted, 4 + 6);
    assert!(decode_request("r".into(), body).is_err());
}

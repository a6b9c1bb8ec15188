use serde_json::{Value, json};

use super::*;

/// A whole `config.json` with `changes` on top; a null takes a key away.
fn parsed(changes: Value) -> Result<ModelConfig, String> {
    let mut config = json!({
        "architectures": ["LlamaForCausalLM"], "hidden_size": 64, "intermediate_size": 112,
        "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 500,
        "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "hidden_act": "silu",
        "rope_theta": 20000.0, "eos_token_id": 2,
    });
    let (Value::Object(map), Value::Object(changes)) = (&mut config, changes) else {
        unreachable!("both are objects")
    };
    map.extend(changes);
    ModelConfig::parse(&Keys(map))
}

#[test]
fn reads_both_forms_of_positions() {
    let llama3 = json!({"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64});
    let stretched =
        |theta| Rope::Llama3 { theta, factor: 8.0, low: 1.0, high: 4.0, original: 64.0 };
    let with = |key: &str, kind: &str, extra: Value| {
        let mut inner = llama3.clone();
        inner["rope_type"] = kind.into();
        for (key, value) in extra.as_object().into_iter().flatten() {
            inner[key] = value.clone();
        }
        json!({ key: inner })
    };
    let cases = [
        (json!({}), Rope::Default { theta: 20_000.0 }),
        (json!({"rope_theta": null}), Rope::Default { theta: 10_000.0 }),
        (json!({"rope_scaling": null}), Rope::Default { theta: 20_000.0 }),
        (json!({"rope_parameters": {"rope_theta": 7.0}}), Rope::Default { theta: 7.0 }),
        (json!({"rope_parameters": {"rope_type": "default"}}), Rope::Default { theta: 20_000.0 }),
        (
            json!({"rope_scaling": {"type": "linear", "factor": 4.0}}),
            Rope::Linear { theta: 20_000.0, factor: 4.0 },
        ),
        (with("rope_scaling", "llama3", json!({})), stretched(20_000.0)),
        (with("rope_parameters", "llama3", json!({"rope_theta": 5.0})), stretched(5.0)),
    ];
    for (changes, expected) in cases {
        assert_eq!(parsed(changes.clone()).map(|c| c.rope), Ok(expected), "{changes}");
    }
}

#[test]
fn fills_in_what_the_class_fills_in() {
    let config = parsed(json!({})).expect("whole");
    assert_eq!((config.kv_heads, config.head_dim, config.tied), (4, 16, false));
    assert_eq!(config.ends, [2]);
    let config = parsed(json!({"head_dim": 24, "num_key_value_heads": 1, "eos_token_id": [2, 7],
        "tie_word_embeddings": true, "attention_bias": true, "mlp_bias": true}))
    .expect("whole");
    assert_eq!((config.kv_heads, config.head_dim, config.tied), (1, 24, true));
    assert_eq!(config.ends, [2, 7]);
    assert!(config.qkv_bias && config.output_bias && config.mlp_bias);
    let qwen = json!({"architectures": ["Qwen2ForCausalLM"], "num_key_value_heads": 2});
    let qwen = parsed(qwen).expect("whole");
    assert!(qwen.qkv_bias && !qwen.output_bias && !qwen.head_norm);
    let qwen3 = |bias: bool| {
        parsed(json!({"architectures": ["Qwen3ForCausalLM"], "num_key_value_heads": 2,
            "attention_bias": bias}))
        .expect("whole")
    };
    let plain = qwen3(false);
    assert_eq!(plain.head_dim, 128, "not a share of the width");
    assert!(plain.head_norm && !plain.qkv_bias && !plain.output_bias);
    assert!(qwen3(true).qkv_bias && qwen3(true).output_bias);
}

#[test]
fn a_window_is_the_context() {
    let mistral = |window: Value| {
        let mut changes = json!({"architectures": ["MistralForCausalLM"],
            "num_key_value_heads": 2, "max_position_embeddings": 9000});
        if window != json!("absent") {
            changes["sliding_window"] = window;
        }
        parsed(changes).map(|config| config.context)
    };
    assert_eq!(mistral(json!(null)), Ok(9000));
    assert_eq!(mistral(json!(100)), Ok(100));
    assert_eq!(mistral(json!("absent")), Ok(4096));
    let qwen = json!({"architectures": ["Qwen2ForCausalLM"], "num_key_value_heads": 2,
        "sliding_window": 100, "use_sliding_window": false});
    assert_eq!(parsed(qwen).map(|config| config.context), Ok(512));
    let qwen3 = json!({"architectures": ["Qwen3ForCausalLM"], "num_key_value_heads": 2,
        "sliding_window": 100, "use_sliding_window": true});
    assert_eq!(parsed(qwen3).map(|config| config.context), Ok(100));
}

#[test]
fn refuses_by_name_what_it_does_not_know() {
    let cases = [
        (json!({"architectures": ["Gemma3ForCausalLM"]}), "`Gemma3ForCausalLM`"),
        (json!({"architectures": null}), "`architectures`"),
        (json!({"architectures": "LlamaForCausalLM"}), "`architectures`"),
        (json!({"hidden_act": "gelu_pytorch_tanh"}), "`gelu_pytorch_tanh`"),
        (json!({"rope_scaling": {"rope_type": "yarn", "factor": 2.0}}), "`yarn`"),
        (json!({"rope_scaling": {"type": "dynamic", "factor": 2.0}}), "`dynamic`"),
        (json!({"rope_scaling": {"rope_type": "llama3", "factor": 2.0}}), "`low_freq_factor`"),
        (json!({"rope_scaling": {"rope_type": "linear", "factor": 0.0}}), "no sense"),
        (
            json!({"rope_parameters": {"full_attention": {"rope_type": "default"}}}),
            "`full_attention`",
        ),
        (json!({"partial_rotary_factor": 0.5}), "`partial_rotary_factor`"),
        (json!({"rope_parameters": {"partial_rotary_factor": 0.5}}), "`partial_rotary_factor`"),
        (json!({"quantization_config": {"bits": 4}}), "`quantization_config`"),
        (json!({"hidden_size": null}), "`hidden_size`"),
        (json!({"hidden_size": "64"}), "`hidden_size`"),
        (json!({"hidden_size": -1}), "`hidden_size`"),
        (json!({"hidden_size": 0}), "`hidden_size`"),
        (json!({"vocab_size": 1u64 << 40}), "`vocab_size`"),
        (json!({"num_attention_heads": 5}), "`head_dim`"),
        (json!({"num_key_value_heads": 3}), "3 key-value heads"),
        (json!({"head_dim": 15}), "width 15"),
        (json!({"rms_norm_eps": null}), "`rms_norm_eps`"),
        (json!({"rms_norm_eps": -1.0}), "`rms_norm_eps`"),
        (json!({"tie_word_embeddings": 1}), "`tie_word_embeddings`"),
        (json!({"eos_token_id": "</s>"}), "`eos_token_id`"),
        (json!({"architectures": ["MistralForCausalLM"]}), "`num_key_value_heads`"),
        (json!({"architectures": ["Qwen3ForCausalLM"]}), "`num_key_value_heads`"),
    ];
    for (changes, names) in cases {
        let problem = parsed(changes.clone()).expect_err(names);
        assert!(problem.contains(names), "{changes}: {problem}");
    }
}

#[test]
fn habits_override_and_are_bounded() {
    let parsed = |value: Value| Habits::parse(&Keys(value.as_object().expect("an object")));
    let habits = parsed(json!({"eos_token_id": [5, 6], "do_sample": true, "temperature": 0.6,
        "top_k": 40, "top_p": 0.9, "min_p": 0.05, "repetition_penalty": 1.1, "max_length": 20}));
    let expected = Habits {
        ends: Some(vec![5, 6]),
        sampled: true,
        temperature: Some(0.6),
        top_k: Some(40),
        top_p: Some(0.9),
        min_p: Some(0.05),
        repetition_penalty: Some(1.1),
    };
    assert_eq!(habits, Ok(expected));
    assert_eq!(parsed(json!({"temperature": null})), Ok(Habits::default()));
    for (key, value) in
        [("temperature", -1.0), ("top_p", 0.0), ("top_p", 1.5), ("repetition_penalty", 0.0)]
    {
        let problem = parsed(json!({ key: value })).expect_err(key);
        assert!(problem.contains(key), "{problem}");
    }
}

#[test]
fn stretched_frequencies_keep_high_ones_and_divide_low_ones() {
    let rope =
        Rope::Llama3 { theta: 500_000.0, factor: 8.0, low: 1.0, high: 4.0, original: 8192.0 };
    let plain = Rope::Default { theta: 500_000.0 }.frequencies(128);
    let stretched = rope.frequencies(128);
    assert_eq!(plain.len(), 64);
    assert_eq!((plain[0], stretched[0]), (1.0, 1.0));
    assert_eq!(stretched[63], plain[63] / 8.0);
    let between = (0..64).filter(|&i| stretched[i] < plain[i] && stretched[i] > plain[i] / 8.0);
    assert!(between.count() > 5);
}

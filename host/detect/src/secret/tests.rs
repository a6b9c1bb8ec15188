//! Secrets as they stand in text, and what only looks like one.

use crate::detector::tests::DETECTOR;

/// What is found of secrets in a text.
fn secrets(text: &str) -> Vec<&str> {
    let spans = DETECTOR.text(text);
    let spans = spans.iter().filter(|span| span.entity.starts_with("SECRET"));
    spans.map(|span| &text[span.start..span.end]).collect()
}

/// Texts with the one secret that is in them.
fn finds(cases: &[(&str, &str)]) {
    for (text, secret) in cases {
        assert_eq!(secrets(text), [*secret], "{text}");
    }
}

/// Texts without a secret.
fn finds_nothing(texts: &[&str]) {
    for text in texts {
        assert_eq!(secrets(text), [""; 0], "{text}");
    }
}

#[test]
fn assignments_in_every_language() {
    finds(&[
        ("api_token: 'q8Zr2LmX0vT5kB1n'", "q8Zr2LmX0vT5kB1n"),
        ("string apiToken = \"q8Zr2LmX0vT5kB1n\";", "q8Zr2LmX0vT5kB1n"),
        ("<apiToken>\n    q8Zr2LmX0vT5kB1n\n</apiToken>", "q8Zr2LmX0vT5kB1n"),
        ("System.setProperty(\"API_TOKEN\", \"q8Zr2LmX0vT5kB1n\")", "q8Zr2LmX0vT5kB1n"),
        ("{\"env\": \"API_TOKEN=q8Zr2LmX0vT5kB1n\\nDEBUG=1\"}", "q8Zr2LmX0vT5kB1n"),
        ("{\"msg\": \"{\\\"api_key\\\": \\\"q8Zr2LmX0vT5kB1n\\\"}\"}", "q8Zr2LmX0vT5kB1n"),
        ("buildConfigField 'String', 'API_KEY', '\"q8Zr2LmX0vT5kB1n\"'", "q8Zr2LmX0vT5kB1n"),
        ("variable \"api_token\" {\n  default = \"q8Zr2LmX0vT5kB1n\"\n}", "q8Zr2LmX0vT5kB1n"),
        ("<add key=\"ApiKey\" value=\"q8Zr2LmX0vT5kB1n\" />", "q8Zr2LmX0vT5kB1n"),
        ("curl -H \"Api-Token: Qz94HK7f6LB\" x", "Qz94HK7f6LB"),
        ("client_token = \"482913759284615073\"", "482913759284615073"),
        ("PASS = 'w1nter-Jacket'", "w1nter-Jacket"),
        ("{\"user\": \"bob\", \"pass\": \"w1nterJacket\"}", "w1nterJacket"),
        ("username = bob\npassword = open_winter\n", "open_winter"),
        ("jwtsecret: \"k`D'}/vZR)T;W\\5]EArf;_&z>qY\"", "k`D'}/vZR)T;W\\5]EArf;_&z>qY"),
        (
            "cloudflare_global: \"8d2fb07c3a9e41d65c8827f1e0b3a94d5c61e\"",
            "8d2fb07c3a9e41d65c8827f1e0b3a94d5c61e",
        ),
        ("BUNDLE_GEMS__ACME__DEV: fadedface:decafbad", "fadedface:decafbad"),
    ]);
}

#[test]
fn settings_of_connections() {
    finds(&[
        (
            "\"Data Source=db01;User ID=ledger_app;Password =ledger_app;Database=books\"",
            "ledger_app",
        ),
        ("{\"provisionDeviceKey\": \"k3m9x2q7w5z8r1t6v4b0\"}", "k3m9x2q7w5z8r1t6v4b0"),
        ("jwt:\n  secret: \"harvest#lantern\"\n", "harvest#lantern"),
    ]);
    finds_nothing(&[
        "user_id = name; password = other; next",
        "secret: \"harvest-lantern\"",
        "kubernetes.io/secret: \"a#b\"",
    ]);
}

#[test]
fn passwords_in_sentences() {
    finds(&[
        ("The password for the user \"jane\" is \"marigold\".", "marigold"),
        (
            "Use this password to go on:\n\n8f2c0be31d944a76ae0d5c3b7e19f264\n",
            "8f2c0be31d944a76ae0d5c3b7e19f264",
        ),
        (
            "Unseal Key 3: Qm3tZ+8RRDxpiqHwTn8/eD4MqQ6KHJcZm4QL9Tz92S+Q",
            "Qm3tZ+8RRDxpiqHwTn8/eD4MqQ6KHJcZm4QL9Tz92S+Q",
        ),
        ("my password is hunter42!", "hunter42"),
    ]);
    finds_nothing(&[
        "The password for the user is set in the console.",
        "Change the password to go on: see below.",
        "mydie(\"cannot open it (pwd is $cwd)\")",
        "a password is a word that opens",
    ]);
}

#[test]
fn commands_and_calls() {
    finds(&[
        ("curl -u 'bob:w1nterJacket' https://x.test", "bob:w1nterJacket"),
        ("curl --user bob:'w1nterJacket' -X PUT", "bob:'w1nterJacket"),
        ("sshpass -p w1nterJacket ssh bob@", "w1nterJacket"),
        ("psexec \\\\HOST -u Admin -p w1nterJacket cmd", "w1nterJacket"),
        ("mysqldump -u root -pw1nterJacket db", "w1nterJacket"),
        ("new NetworkCredential(\"bob\", \"w1nterJacket\")", "w1nterJacket"),
        ("requests.get(url, auth=('bob', 'w1nterJacket'))", "w1nterJacket"),
        ("smtp.login(user, \"w1nterJacket\")", "w1nterJacket"),
        (
            "Authorization: SSWS 00Rk9XbQ2mTz-LsWvE7pYc4NdHg8JfUaK1",
            "00Rk9XbQ2mTz-LsWvE7pYc4NdHg8JfUaK1",
        ),
    ]);
    finds_nothing(&[
        "sshpass -p $PASSWORD ssh bob@",
        "mysql -u root -p database",
        "new NetworkCredential(user, password)",
        "auth=(user, getpass())",
        "docker login -u bob --password-stdin",
    ]);
}

#[test]
fn hashes_of_passwords() {
    finds(&[
        (
            "root:$6$pq2LkzXw$Gd0vWc8BnRt5YhUj3MsKe7FzAq1LoPiX6TbVrEy9NwCm4DgSaHf2QkJxZu8WpOvI5BtRnEyMcLdGhAsKfJqUe.:19000",
            "$6$pq2LkzXw$Gd0vWc8BnRt5YhUj3MsKe7FzAq1LoPiX6TbVrEy9NwCm4DgSaHf2QkJxZu8WpOvI5BtRnEyMcLdGhAsKfJqUe.",
        ),
        (
            "hash $2b$12$Gd0vWc8BnRt5YhUj3MsKe7FzAq1LoPiX6TbVrEy9NwCm4DgSaHf2Q",
            "$2b$12$Gd0vWc8BnRt5YhUj3MsKe7FzAq1LoPiX6TbVrEy9NwCm4DgSaHf2Q",
        ),
        (
            "$argon2id$v=19$m=65536,t=3,p=4$Gd0vWc8BnRt5YhUj$MsKe7FzAq1LoPiX6TbVrEy9NwCm4DgSaHf2Q",
            "$argon2id$v=19$m=65536,t=3,p=4$Gd0vWc8BnRt5YhUj$MsKe7FzAq1LoPiX6TbVrEy9NwCm4DgSaHf2Q",
        ),
    ]);
    finds_nothing(&["echo $1$2 $5", "s/$1$/$2a$/g", "costs $5$ or $6$ a piece"]);
}

#[test]
fn secrets_of_kubernetes() {
    finds(&[
        (
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  # encoded\n  conn: aHVudGVyMiBhbmQgbW9yZQ==\ntype: Opaque\n",
            "aHVudGVyMiBhbmQgbW9yZQ==",
        ),
        ("data:\n  conn: 'aHVudGVyMiBhbmQgbW9yZQ=='\nkind: 'Secret'\n", "aHVudGVyMiBhbmQgbW9yZQ=="),
        ("kind: Secret\nstringData:\n  conn: w1nterJacket\n", "w1nterJacket"),
    ]);
    finds_nothing(&[
        "kind: SecretStore\ndata:\n  conn: aHVudGVyMg==\n",
        "kind: ConfigMap\ndata:\n  conn: w1nterJacket\n",
        "kind: Secret\nmetadata:\n  name: w1nterJacket\n",
        "kind: Secret\n---\nkind: ConfigMap\ndata:\n  conn: aHVudGVyMiBhbmQgbW9yZQ==\n",
    ]);
}

#[test]
fn vendors_with_a_form_of_their_own() {
    finds(&[
        // A signature at the 77th character.
        (
            "pat 7StqIrQd67Z7EYClzeycssGKUZoSpB8s51us8MXT3TlJOTGtSBCyiRRkK10ZHqW2mN4xPvL6cDtYAZDOe4rV",
            "7StqIrQd67Z7EYClzeycssGKUZoSpB8s51us8MXT3TlJOTGtSBCyiRRkK10ZHqW2mN4xPvL6cDtYAZDOe4rV",
        ),
        (
            "MAILCHIMP='be4888919bfdaa77d6446a73b7357b50-us21'",
            "be4888919bfdaa77d6446a73b7357b50-us21",
        ),
        (
            "live_248153914_ujY4tcxJaM0WnlfdeypjpCNB2MK0T5",
            "live_248153914_ujY4tcxJaM0WnlfdeypjpCNB2MK0T5",
        ),
        (
            "xoxb-264556041258-Ukz22hHyVX7Dg00ZPZxuaH1L",
            "xoxb-264556041258-Ukz22hHyVX7Dg00ZPZxuaH1L",
        ),
        ("dckr_pat_2r9zLFU2WEJUqgDxtVFAeU9wGi-", "dckr_pat_2r9zLFU2WEJUqgDxtVFAeU9wGi-"),
        (
            "${{ secrets.pypi-AgEIcHlwaS5vcmcCJDA2NTdiYzI3LTQ4N2QtNDAzYy04ZDBjLTZmODU4ZTFkMjABKAQ7Tz }}",
            "pypi-AgEIcHlwaS5vcmcCJDA2NTdiYzI3LTQ4N2QtNDAzYy04ZDBjLTZmODU4ZTFkMjABKAQ7Tz",
        ),
    ]);
    finds_nothing(&[
        "xoxb-my-bot-token-goes-here",
        "sgp_local_g45b6086abb0f2cee943902dbadbcfcfdd1da0zz",
        "ntn_123456789012345678901234567890123456789012345",
        "export OP=ops_eyJzaWduSW5BZGRyZXNzIjoiaHR0cHM6...",
        "xoxp-572370529330-573807301142-572331691188-################",
        "sk_test_4eC39HqLyjWDarjtT1zdp7dc from the manual",
        "en-us1 and file-us2",
    ]);
}

#[test]
fn what_only_looks_like_a_secret() {
    finds_nothing(&[
        "enum Pass { FSDiscriminatorPass::Pass1 }",
        "pub Password: *mut u8, pub log_passwd: __u32,",
        "keywords = [\"crypto\", \"password\", \"hashing\"]",
        "const FLAGS_PASS = sys::IORING_MSG_RING_FLAGS_PASS;",
        "println(\"Password: \" + getPassword() + \",\");",
        "echo 'password = '.$p['config']['x'];",
        "this.addPassword = \"#add-password\";",
        "password = process.env.REACT_APP_DEV_PASSWORD || x",
        "\"encryptionKey\": \"arn:aws:kms:us-west-2:123456789012:alias/aws/s3\"",
        "arn:aws:secretsmanager:us-west-2:123456789012:secret:MyTest-1a2b3c",
        "\"nextPageToken\": \"AAAAKgAAAAEAAAAAAAAAA1Gp1BelJq\"",
        "<input name=\"authenticity_token\" value=\"7SWa-Fo1_hsC6oovfBsJFLGPUl2Ehk\" />",
        "\"AuthorizationStrategy\": \"SMART_ON_FHIR_V1\"",
        "#define PKCS12_MAKE_KEYBAG PKCS12_SAFEBAG_create0_p8inf",
        "https://a:b@example.com/ and http://user:pass@host",
        "secret_key = \"sk_abcdefghijklmnopqrstuvwxyz123\"",
    ]);
}

//! A service, and how a departure is sent to it.

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use reqwest::{Client, Url};
use ringfence_chat::{Dialect, Request};
use ringfence_dialect::{Decoder, encode_request, spoken};
use ringfence_fence::{
    Answer, Departure, Encoded, Failure, FailureKind, Honours, Masked, Provider, Zone,
};
use tokio::time::{Instant, timeout_at};

use crate::allowance::allowance;
use crate::connection::{Connection, ConnectionError, is_near};
use crate::{answer, anthropic, client, failure, openai};

/// A service.
pub struct Cloud {
    connection: Connection,
    client: Client,
    url: Url,
    /// Where vectors are asked for.
    embeddings: Url,
    headers: HeaderMap,
    name: String,
}

impl Cloud {
    /// The service of the target `name`. Connects to nothing.
    ///
    /// # Errors
    /// [`ConnectionError`].
    pub fn new(connection: Connection, name: &str, zone: Zone) -> Result<Cloud, ConnectionError> {
        connection.check_times()?;
        if connection.key.as_ref().is_some_and(|key| key.is_empty()) {
            return Err(ConnectionError::Key);
        }
        let (path, mut headers) = match connection.dialect {
            Dialect::OpenAiChat | Dialect::OpenAiEmbeddings | Dialect::OpenAiResponses => {
                (openai::PATH, openai::headers(&connection)?)
            }
            Dialect::AnthropicMessages => (anthropic::PATH, anthropic::headers(&connection)?),
        };
        let url = connection.address(path)?;
        let embeddings = connection.address(openai::EMBEDDINGS_PATH)?;
        let own = connection.own_headers()?;
        own.keys().for_each(|name| drop(headers.remove(name)));
        headers.extend(own);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let client = client::client(&url, zone, connection.connect_within)?;
        Ok(Cloud { connection, client, url, embeddings, headers, name: name.to_owned() })
    }

    async fn call(&self, departure: Departure) -> Result<Answer, Failure> {
        let zone = departure.target().zone;
        if zone == Zone::Cloud && self.url.scheme() == "http" && !is_near(&self.url) {
            let message = "The target is outside and its address is plain http.";
            return Err(Failure::new(FailureKind::Misconfigured, message));
        }
        let request = departure.request();
        let dialect = spoken(request.dialect, self.connection.dialect);
        let streamed = request.streamed;
        let (url, choices) = match dialect {
            Dialect::OpenAiEmbeddings => {
                (&self.embeddings, u32::try_from(request.turns.len()).unwrap_or(u32::MAX))
            }
            Dialect::OpenAiChat | Dialect::AnthropicMessages | Dialect::OpenAiResponses => {
                (&self.url, request.sampling.choices)
            }
        };
        let deadline = Instant::now() + self.connection.first_byte_within;
        let sent = self
            .client
            .post(url.clone())
            .headers(self.headers_for(request))
            .header(header::ACCEPT, answer::media_type(streamed))
            .body(departure.body().clone())
            .send();
        let response = match timeout_at(deadline, sent).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(failure::of_transport(&error)),
            Err(_) => return Err(answer::late()),
        };
        if !response.status().is_success() {
            return Err(answer::refusal(response, dialect, deadline).await);
        }
        answer::check_media_type(response.headers(), streamed)?;
        let headers = allowance(response.headers());
        let decoder = Decoder::new(dialect, streamed, choices);
        let chunks = answer::chunks(response, decoder, deadline, self.connection.idle_within);
        Ok(Answer { headers, chunks })
    }
}

impl Cloud {
    /// The headers of one call. Those that a client of the same dialect sent along win
    /// over the house's own; the configuration's win over both.
    fn headers_for(&self, request: &Request) -> HeaderMap {
        let mut headers = self.headers.clone();
        if request.dialect != self.connection.dialect {
            return headers;
        }
        for (name, value) in &request.headers {
            if self.connection.sets(name) {
                continue;
            }
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        headers
    }
}

impl Provider for Cloud {
    fn encode(&self, masked: &Masked) -> Result<Encoded, Failure> {
        let honours = match &masked.target().honours {
            Honours::Everything => None,
            Honours::Only(names) => Some(names.as_slice()),
        };
        let dialect = self.connection.dialect;
        match encode_request(dialect, masked.request(), masked.model(), honours) {
            Ok(translated) => {
                Ok(Encoded { body: Bytes::from(translated.body), dropped: translated.dropped })
            }
            Err(unsupported) => Err(Failure::new(FailureKind::Rejected, format!("{unsupported}."))),
        }
    }

    fn send(&self, departure: Departure) -> BoxFuture<'_, Result<Answer, Failure>> {
        self.call(departure).boxed()
    }
}

/// Shows where it is, and no key.
impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cloud")
            .field("name", &self.name)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

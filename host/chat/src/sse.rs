//! Server-sent events (WHATWG HTML, section 9.2), reading and writing.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SseEvent {
    /// The `event:` field; empty when there was none.
    pub name: String,
    /// The `data:` lines, joined with line feeds.
    pub data: String,
}

/// The stream broke a bound or the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SseError {
    /// One event is larger than the reader's limit.
    TooLarge,
    /// An event is not UTF-8.
    NotUtf8,
}

/// Reads events from bytes that arrive in any pieces.
///
/// Lines end in CR, LF or CRLF. Comments are skipped, as are `id` and `retry`;
/// events without data are dropped.
pub struct SseReader {
    limit: usize,
    line: Vec<u8>,
    name: String,
    data: Vec<u8>,
    has_data: bool,
    after_cr: bool,
    at_start: bool,
}

impl SseReader {
    /// A reader that refuses events of more than `limit` bytes.
    pub fn new(limit: usize) -> SseReader {
        SseReader {
            limit,
            line: Vec::new(),
            name: String::new(),
            data: Vec::new(),
            has_data: false,
            after_cr: false,
            at_start: true,
        }
    }

    /// Takes more bytes and appends the events that they complete to `events`.
    ///
    /// # Errors
    /// [`SseError`]; the reader must not be used afterwards.
    pub fn push(&mut self, mut bytes: &[u8], events: &mut Vec<SseEvent>) -> Result<(), SseError> {
        while !bytes.is_empty() {
            if self.after_cr && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                self.after_cr = false;
                continue;
            }
            self.after_cr = false;
            let end = bytes.iter().position(|&byte| byte == b'\n' || byte == b'\r');
            let taken = end.unwrap_or(bytes.len());
            if self.line.len() + self.data.len() + taken > self.limit {
                return Err(SseError::TooLarge);
            }
            self.line.extend_from_slice(&bytes[..taken]);
            let Some(end) = end else { return Ok(()) };
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.line);
            self.line(&line, events)?;
            self.line = line;
            self.line.clear();
        }
        Ok(())
    }

    /// True when bytes of an unfinished event are waiting: the stream was cut.
    pub fn is_unfinished(&self) -> bool {
        !self.line.is_empty() || self.has_data
    }

    fn line(&mut self, line: &[u8], events: &mut Vec<SseEvent>) -> Result<(), SseError> {
        let line = match line.strip_prefix(b"\xEF\xBB\xBF") {
            Some(rest) if self.at_start => rest,
            _ => line,
        };
        self.at_start = false;
        if line.is_empty() {
            return self.dispatch(events);
        }
        let (field, value) = match line.iter().position(|&byte| byte == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &b""[..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            b"event" => {
                self.name = std::str::from_utf8(value).map_err(|_| SseError::NotUtf8)?.to_owned();
            }
            _ => {}
        }
        Ok(())
    }

    fn dispatch(&mut self, events: &mut Vec<SseEvent>) -> Result<(), SseError> {
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        if std::mem::take(&mut self.has_data) {
            let data = String::from_utf8(data).map_err(|_| SseError::NotUtf8)?;
            events.push(SseEvent { name, data });
        }
        Ok(())
    }
}

/// Appends one event. Line breaks in `data` become further `data:` lines, so that
/// nothing in a text can begin an event of its own; those in `name` are dropped.
pub fn write(name: Option<&str>, data: &str, out: &mut Vec<u8>) {
    if let Some(name) = name {
        out.extend_from_slice(b"event: ");
        out.extend(name.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')));
        out.push(b'\n');
    }
    for line in data.split(['\r', '\n']) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<Vec<SseEvent>, SseError> {
        let mut reader = SseReader::new(1024);
        let mut events = Vec::new();
        for piece in pieces {
            reader.push(piece, &mut events)?;
        }
        Ok(events)
    }

    fn event(name: &str, data: &str) -> SseEvent {
        SseEvent { name: name.into(), data: data.into() }
    }

    #[test]
    fn reads_every_line_ending() {
        for stream in
            ["data: a\n\ndata: b\n\n", "data: a\r\rdata: b\r\r", "data: a\r\n\r\ndata: b\r\n\r\n"]
        {
            assert_eq!(read(&[stream.as_bytes()]), Ok(vec![event("", "a"), event("", "b")]));
        }
    }

    #[test]
    fn skips_comments_and_events_without_data() {
        let stream = b": keepalive\n\nevent: ping\n\nretry: 5\n\nevent: x\ndata: 1\ndata:2\n\n";
        assert_eq!(read(&[stream]), Ok(vec![event("x", "1\n2")]));
    }

    #[test]
    fn refuses_an_endless_event() {
        assert_eq!(read(&[b"data: ", &[b'x'; 2000]]), Err(SseError::TooLarge));
        assert_eq!(read(&[&b"data: 0123456789\n".repeat(200)]), Err(SseError::TooLarge));
    }

    #[test]
    fn refuses_bytes_that_are_not_utf8() {
        assert_eq!(read(&[b"data: \xff\n\n"]), Err(SseError::NotUtf8));
    }

    #[test]
    fn a_cut_event_shows() {
        let mut reader = SseReader::new(1024);
        let mut events = Vec::new();
        reader.push(b"data: a\n\ndata: b\n", &mut events).expect("well formed");
        assert_eq!(events.len(), 1);
        assert!(reader.is_unfinished());
    }

    #[test]
    fn text_cannot_begin_an_event() {
        let mut out = Vec::new();
        write(None, "a\r\n\r\ndata: [DONE]\n\n", &mut out);
        assert_eq!(read(&[&out]).map(|events| events.len()), Ok(1));
    }

    proptest! {
        #[test]
        fn any_split_reads_the_same(
            names in prop::collection::vec("[a-z]{0,4}", 0..4),
            cuts in prop::collection::vec(0usize..200, 0..6),
        ) {
            let mut stream = Vec::new();
            for name in &names {
                write(Some(name), &format!("é{name}\n{name}"), &mut stream);
            }
            let whole = read(&[&stream]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&stream[from..cut]);
                from = cut;
            }
            pieces.push(&stream[from..]);
            prop_assert_eq!(read(&pieces), whole);
        }
    }
}

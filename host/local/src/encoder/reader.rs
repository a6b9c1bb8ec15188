//! Reading texts with an encoder.

use super::windows::{self, Window, blocks, grouped, sections};
use super::{Call, Encoder, Plan, Pooling, ReadFault, Sentence, Shape};
use crate::device::Chosen;
use crate::fault::LocalError;
use crate::files::ModelFiles;
use crate::tokenizer::{Piece, Tokenizer};

/// What the thread of an encoder owns.
pub(crate) struct Reader {
    pub(crate) encoder: Encoder,
    pub(crate) tokenizer: Tokenizer,
    /// Tokens of a window between its marks.
    window: usize,
    /// The marks at the ends of a window.
    marks: [u32; 2],
    /// Tokens that are read together.
    budget: usize,
}

impl Reader {
    /// Tokens of a window at most, whatever the model was made for.
    pub(crate) const WINDOW_TOKENS: usize = 512;

    /// Tokens that the CPU reads together: one whole window, since a deadline is looked at
    /// between groups.
    pub(crate) const CPU_TOKENS: usize = Self::WINDOW_TOKENS;

    /// Tokens that an adapter reads together.
    pub(crate) const ADAPTER_TOKENS: usize = 8 * Self::WINDOW_TOKENS;

    /// Tokens that are collected and then grouped by length.
    const COLLECTED_TOKENS: usize = 32 * Self::WINDOW_TOKENS;

    /// Marks of a window.
    pub(crate) const MARKS: usize = 2;

    /// Loads the model and lets it read once.
    ///
    /// # Errors
    /// [`LocalError`].
    pub(crate) fn load(plan: &Plan) -> Result<Reader, LocalError> {
        let Plan { files, shape, sentence, chosen } = plan;
        // The marks are ours: a text that spells one has it as text.
        let tokenizer = Tokenizer::read(files, shape.vocabulary)?.without_marks_in_text();
        let mark = |token: &str| {
            let problem = format!("lacks the token {token}, which stands at an end of each window");
            tokenizer.id(token).ok_or_else(|| files.fault(Tokenizer::FILE, problem))
        };
        let marks = [mark("[CLS]")?, mark("[SEP]")?];
        let window = Self::most_of(files, shape, sentence.as_ref())? - Self::MARKS;
        let budget = match chosen {
            Chosen::Cpu => Self::CPU_TOKENS,
            Chosen::Adapter(_) => Self::ADAPTER_TOKENS,
        };
        let pooling = sentence.as_ref().map_or(Pooling::Mean, |sentence| sentence.pooling);
        let encoder = Encoder::load(files, shape, pooling, &chosen.open()?)?;
        // What the device compiles at its first use, it compiles now.
        let warm = encoder.read(&[&marks]);
        warm.map_err(|error| LocalError::Device(format!("the encoder does not run: {error}")))?;
        Ok(Reader { encoder, tokenizer, window, marks, budget })
    }

    /// Tokens of a window at most, its marks included: what the model was made for.
    ///
    /// # Errors
    /// [`LocalError::Model`]: there is no room between the marks.
    pub(crate) fn most_of(
        files: &ModelFiles,
        shape: &Shape,
        sentence: Option<&Sentence>,
    ) -> Result<usize, LocalError> {
        let most = sentence.and_then(|sentence| sentence.most).unwrap_or(usize::MAX);
        let most = shape.positions.min(Self::WINDOW_TOKENS).min(most);
        (most > Self::MARKS)
            .then_some(most)
            .ok_or_else(|| files.fault(Shape::FILE, "has no room between the marks of a window"))
    }

    /// Reads the texts of a call in windows that overlap, those of all texts together in
    /// groups. `each` gets every window once, in no order, with the encoder's numbers. A
    /// text without any token has one empty window.
    ///
    /// # Errors
    /// [`ReadFault`]; what was given so far is not the whole then.
    pub(crate) fn read(
        &self,
        call: &Call<'_>,
        mut each: impl FnMut(&Window, &[f32]),
    ) -> Result<(), ReadFault> {
        let mut waiting: Vec<Window> = Vec::new();
        let mut tokens = 0;
        for (text, whole) in call.texts.iter().enumerate() {
            let mut is_empty = true;
            for (from, until) in blocks(whole) {
                let block = self.tokenised(&whole[from..until], call)?;
                for (first, last) in windows::windows(&block, self.window) {
                    let pieces = block[first..last].to_vec();
                    is_empty = false;
                    tokens += pieces.len() + Self::MARKS;
                    waiting.push(Window { text, from, pieces });
                    if tokens >= Self::COLLECTED_TOKENS {
                        self.read_windows(&mut waiting, call, &mut each)?;
                        tokens = 0;
                    }
                }
            }
            if is_empty {
                tokens += Self::MARKS;
                waiting.push(Window { text, from: 0, pieces: Vec::new() });
            }
        }
        self.read_windows(&mut waiting, call, &mut each)
    }

    /// The tokens of a whole text, each once. It takes time, which counts.
    ///
    /// # Errors
    /// [`ReadFault`].
    pub(crate) fn pieces(&self, text: &str, call: &Call<'_>) -> Result<Vec<Piece>, ReadFault> {
        let mut pieces = Vec::new();
        for (from, until) in sections(text) {
            pieces.extend(self.tokenised(&text[from..until], call)?);
        }
        Ok(pieces)
    }

    /// Tokens of a window at most, its marks included.
    pub(crate) fn most(&self) -> usize {
        self.window + Self::MARKS
    }

    /// Reads windows in groups, and gives each with the encoder's numbers, in no order.
    /// None is left.
    ///
    /// # Errors
    /// [`ReadFault`]; what was given so far is not the whole then.
    pub(crate) fn read_windows(
        &self,
        waiting: &mut Vec<Window>,
        call: &Call<'_>,
        each: &mut impl FnMut(&Window, &[f32]),
    ) -> Result<(), ReadFault> {
        let mut start = 0;
        for end in grouped(waiting, self.budget) {
            call.in_time()?;
            let group = &waiting[start..end];
            let ids: Vec<Vec<u32>> = group.iter().map(|window| self.ids(window)).collect();
            let ids: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
            let rows = self.encoder.read(&ids).map_err(|_| ReadFault::Failed)?;
            // A number that is none would pass for "nothing found".
            if rows.iter().flatten().any(|number| !number.is_finite()) {
                return Err(ReadFault::Failed);
            }
            group.iter().zip(&rows).for_each(|(window, row)| each(window, row));
            start = end;
        }
        waiting.clear();
        Ok(())
    }

    fn tokenised(&self, text: &str, call: &Call<'_>) -> Result<Vec<Piece>, ReadFault> {
        call.in_time()?;
        self.tokenizer.pieces(text).map_err(|_| ReadFault::Failed)
    }

    fn ids(&self, window: &Window) -> Vec<u32> {
        let inner = window.pieces.iter().map(|piece| piece.id);
        std::iter::once(self.marks[0]).chain(inner).chain([self.marks[1]]).collect()
    }
}

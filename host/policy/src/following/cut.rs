//! A change to a span of a window, checked against it.

use ringfence_fence::{Action, Edit, Nonsense};

/// A change to a span of a window. What it names lies in its window, on character
/// boundaries, and overlaps no other.
#[derive(Debug)]
pub(crate) struct Cut {
    /// First byte.
    pub(crate) start: u32,
    /// One past the last byte.
    pub(crate) end: u32,
    /// What is hidden.
    pub(crate) entity: String,
    /// What happens to it.
    pub(crate) action: Action,
}

impl Cut {
    /// Checks what a policy said, and puts it in order.
    ///
    /// # Errors
    /// [`Nonsense`]: a span outside the window, inside a character, or of two cuts; or a
    /// name that is none.
    pub(crate) fn check(mut cuts: Vec<Cut>, text: &str) -> Result<Vec<Cut>, Nonsense> {
        cuts.sort_by_key(|cut| cut.start);
        for cut in &cuts {
            let (start, end) = (cut.start as usize, cut.end as usize);
            let inside = start < end && end <= text.len();
            if !inside || !text.is_char_boundary(start) || !text.is_char_boundary(end) {
                return Err(Nonsense::Span);
            }
            if !Edit::is_entity(&cut.entity) {
                return Err(Nonsense::Entity);
            }
        }
        if cuts.windows(2).any(|pair| pair[0].end > pair[1].start) {
            return Err(Nonsense::Overlap);
        }
        Ok(cuts)
    }

    /// Writes what takes the span's place.
    pub(crate) fn write(&self, out: &mut String) {
        match &self.action {
            // Nothing would ever bring an original back from here.
            Action::Mask | Action::Pseudonymise => {
                out.push('[');
                out.push_str(&self.entity);
                out.push(']');
            }
            Action::Replace(text) => out.push_str(text),
            Action::Remove => {}
        }
    }
}

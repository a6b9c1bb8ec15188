//! Short ways to ask about a request.

use crate::{Finding, Request, Segment, Target, Zone};

impl Request {
    /// What the detectors found.
    ///
    /// # Errors
    /// When the entry does not grant `findings`: then nothing is known, which is not the
    /// same as nothing being there.
    pub fn found(&self) -> Result<&[Finding], String> {
        self.findings.as_deref().ok_or_else(|| "the grant `findings` is missing".to_owned())
    }

    /// What the detectors found of this entity; none of them without the grant.
    pub fn found_of<'a>(&'a self, entity: &'a str) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().flatten().filter(move |finding| finding.entity == entity)
    }

    /// The segment that a finding or an edit names.
    pub fn segment(&self, id: u32) -> Option<&Segment> {
        let at_its_place = self.segments.get(id as usize).filter(|segment| segment.id == id);
        at_its_place.or_else(|| self.segments.iter().find(|segment| segment.id == id))
    }

    /// The text of a finding. `None` without the grant `text`.
    pub fn text_of(&self, finding: &Finding) -> Option<&str> {
        let text = self.segment(finding.segment)?.text.as_deref()?;
        text.get(finding.start as usize..finding.end as usize)
    }

    /// What a classifier says of the request: the probability of `NAME/LABEL`, 0 to 1.
    /// `None` where the policy did not declare that it needs `score:NAME`, and for a label
    /// that the model does not have.
    pub fn score(&self, label: &str) -> Option<f32> {
        self.scores.iter().find(|(known, _)| known == label).map(|(_, score)| *score)
    }

    /// The value of a label of the caller; `None` without the grant `caller`.
    pub fn caller_label(&self, name: &str) -> Option<&str> {
        let labels = &self.caller.as_ref()?.labels;
        labels.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Target {
    /// The value of one of the operator's own words about it.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is in `zone` or a nearer one.
    pub fn is_within(&self, zone: Zone) -> bool {
        self.zone as u8 <= zone as u8
    }

    /// Whether it is well and would take one more request at once.
    pub fn has_room(&self) -> bool {
        self.healthy && self.in_flight.saturating_add(self.queued) < self.capacity
    }
}

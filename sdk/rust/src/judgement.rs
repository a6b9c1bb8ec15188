//! Short ways to say what a policy says.

use crate::Zone;
use crate::{Action, Declaration, Edit, Finding, Judgement, Permission, Request, Scope, Target};

impl Declaration {
    /// Declares nothing.
    pub fn new() -> Declaration {
        Declaration { codes: Vec::new(), labels: Vec::new(), needs: Vec::new() }
    }

    /// Declares a code: without this a judgement that carries it fails.
    pub fn code(mut self, code: &str) -> Declaration {
        self.codes.push(code.to_owned());
        self
    }

    /// Declares a label: without this a judgement that carries it fails.
    pub fn label(mut self, label: &str) -> Declaration {
        self.labels.push(label.to_owned());
        self
    }

    /// Declares a grant without which the policy cannot work: `text`, `findings`,
    /// `caller`. An entry that does not give it is refused when the file is loaded.
    pub fn needs(mut self, grant: &str) -> Declaration {
        self.needs.push(grant.to_owned());
        self
    }
}

impl Default for Declaration {
    fn default() -> Declaration {
        Declaration::new()
    }
}

impl Judgement {
    /// A judgement that permits this and says nothing else.
    pub fn permit(permit: Permission) -> Judgement {
        Judgement {
            permit,
            prefer: Vec::new(),
            edits: Vec::new(),
            labels: Vec::new(),
            code: String::new(),
        }
    }

    /// Wherever it still may: the policy has nothing against it.
    pub fn any() -> Judgement {
        Judgement::permit(Permission::Any)
    }

    /// Only to this zone or a nearer one.
    pub fn within(zone: Zone) -> Judgement {
        Judgement::permit(Permission::Within(zone))
    }

    /// Nowhere: the request is refused.
    pub fn nowhere() -> Judgement {
        Judgement::permit(Permission::Nowhere)
    }

    /// Only to the targets that `keep` keeps; with none kept, nowhere.
    pub fn only(request: &Request, keep: impl Fn(&Target) -> bool) -> Judgement {
        let kept = request.targets.iter().filter(|target| keep(target));
        Judgement::permit(Permission::Only(kept.map(|target| target.name.clone()).collect()))
    }

    /// With this declared code: why.
    pub fn because(mut self, code: &str) -> Judgement {
        code.clone_into(&mut self.code);
        self
    }

    /// With this declared label, once however often it is said.
    pub fn label(mut self, label: &str) -> Judgement {
        if !self.labels.iter().any(|known| known == label) {
            self.labels.push(label.to_owned());
        }
        self
    }

    /// With these targets first. They have to be among the request's targets.
    pub fn prefer<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Judgement {
        self.prefer.extend(names.into_iter().map(str::to_owned));
        self
    }

    /// With this edit. Edits of one judgement may not overlap.
    pub fn edit(mut self, edit: Edit) -> Judgement {
        self.edits.push(edit);
        self
    }
}

impl Finding {
    /// An edit of what was found.
    pub fn edit(&self, action: Action, scope: Scope) -> Edit {
        Edit {
            segment: self.segment,
            start: self.start,
            end: self.end,
            entity: self.entity.clone(),
            action,
            scope,
        }
    }

    /// Outside `zone`, `[EMAIL]` takes its place.
    pub fn mask_outside(&self, zone: Zone) -> Edit {
        self.edit(Action::Mask, Scope::Outside(zone))
    }

    /// Outside `zone`, a placeholder takes its place, and the answer gets the original
    /// back.
    pub fn pseudonymise_outside(&self, zone: Zone) -> Edit {
        self.edit(Action::Pseudonymise, Scope::Outside(zone))
    }
}

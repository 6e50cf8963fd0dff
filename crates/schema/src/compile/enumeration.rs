//! Enums: members, and the edges that `@next` allows between them.

use crate::catalog::{EnumId, EnumMember, EnumType};
use crate::compile::build::{Builder, Named};
use crate::compile::draft::{EnumDraft, deprecated, every, one};
use crate::diagnostic::codes;
use crate::scalar::SCALARS;
use backstay_base::suggest;

/// Most members of one enum.
const MAX_MEMBERS: usize = 1_000;

impl Builder<'_> {
    pub fn enums(&mut self) {
        for draft in &self.draft.enums {
            if self.refuse_reserved(&draft.name, draft.owner, draft.span) {
                continue;
            }
            if SCALARS.iter().any(|scalar| scalar.name == draft.name) {
                self.error(codes::RESERVED_NAME, draft.span, format!("\"{}\" is a scalar", draft.name));
                continue;
            }
            if self.names.contains_key(&draft.name) {
                self.error(codes::DUPLICATE, draft.span, format!("\"{}\" is defined twice", draft.name));
                continue;
            }
            if draft.members.len() > MAX_MEMBERS {
                let message = format!("enum \"{}\" has more than {MAX_MEMBERS} members", draft.name);
                self.error(codes::TOO_LARGE, draft.span, message);
                continue;
            }
            let Ok(number) = u16::try_from(self.catalog.enums.len()) else { continue };
            let id = EnumId(number);
            let members = self.members(draft);
            let transitions = draft.members.iter().any(|member| one(&member.directives, "next").is_some());
            self.names.insert(draft.name.clone(), Named::Enum(id));
            self.catalog.enums.push(EnumType {
                id,
                name: draft.name.clone(),
                doc: draft.doc.clone(),
                members,
                transitions,
                span: draft.span,
            });
        }
    }

    fn members(&mut self, draft: &EnumDraft) -> Vec<EnumMember> {
        let names: Vec<&str> = draft.members.iter().map(|member| member.name.as_str()).collect();
        let mut out: Vec<EnumMember> = Vec::new();
        for (index, member) in draft.members.iter().enumerate() {
            if names.iter().take(index).any(|name| *name == member.name) {
                let message = format!("\"{}\" is twice a member of \"{}\"", member.name, draft.name);
                self.error(codes::DUPLICATE, member.span, message);
            }
            let mut next = Vec::new();
            for (to, span) in
                one(&member.directives, "next").and_then(|next| next.names("to")).unwrap_or_default()
            {
                match names.iter().position(|name| name == to) {
                    Some(place) if place == index => {
                        let message =
                            format!("\"{to}\" leads to itself; an unchanged value is always allowed");
                        self.error(codes::TRANSITION, *span, message);
                    }
                    Some(place) if next.contains(&place) => {
                        self.error(codes::TRANSITION, *span, format!("\"{to}\" is named twice"));
                    }
                    Some(place) => next.push(place),
                    None => {
                        let message = format!("\"{to}\" is not a member of \"{}\"", draft.name);
                        let near = suggest::nearest(to, names.iter().copied());
                        let help =
                            near.map_or_else(|| names.join(", "), |near| format!("did you mean {near}?"));
                        self.error_with_help(codes::TRANSITION, *span, message, help);
                    }
                }
            }
            let was: Vec<_> = every(&member.directives, "was").filter_map(|was| was.text("name")).collect();
            for earlier in &was {
                if names.contains(&earlier.text.as_str()) {
                    let message = format!("`@was` names \"{}\", which is a member now", earlier.text);
                    self.error(codes::WAS, earlier.span, message);
                }
            }
            let was = was.last().map(|literal| literal.text.clone());
            out.push(EnumMember {
                name: member.name.clone(),
                doc: member.doc.clone(),
                deprecated: deprecated(&member.directives),
                next,
                was,
            });
        }
        out
    }
}
